// SPDX-License-Identifier: GPL-2.0-only
// <asm/pkvm_module_ops.h> of a generation, written from include/pkvm/ops.def: the table that
// modules call through has one description, which the firmware's tables come from as well.
#pragma once

#include <string>

#include "pkvm/generation.h"

namespace pkvmemu::build {

/// The header's text: struct pkvm_module_ops with the kernel's types and names, and an assertion
/// for each slot.
std::string ops_header(pkvm::Generation generation);

}  // namespace pkvmemu::build
