// SPDX-License-Identifier: GPL-2.0-only
// Who called whom, as the frame records tell (AAPCS64 6.4.6): x29 points to the caller's x29 and
// the return address, and so on. Nothing that is found there is trusted.
#pragma once

#include <vector>

#include "machine/machine.h"
#include "support/address.h"

namespace pkvmemu::symbols {

/// Where the machine stands, then return addresses at the same exception level, innermost first.
/// x30 is the second: in a function that has not made its frame record yet it is the caller, in all
/// others it lies in the function itself or is the caller once more.
std::vector<Va> call_path(const machine::Machine& machine);

}  // namespace pkvmemu::symbols
