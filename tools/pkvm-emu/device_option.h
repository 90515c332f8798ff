// SPDX-License-Identifier: GPL-2.0-only
// `--device COMPATIBLE[@ADDRESS[+SIZE]][:PROPERTY[=VALUE],...]` as a node of the devicetree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "machine/declared_device.h"
#include "support/result.h"

namespace pkvmemu::tool {

/// VALUE: numbers joined by '+', each one cell or, from 2^32 on, two; else a text. Without a value
/// the property is just there. `irq=N` is `interrupts` for the GIC's shared interrupt N.
Result<machine::DeclaredDevice> parse_device(std::string_view text);

/// All of them, each under a node name of its own. Two at the same address are refused.
Result<std::vector<machine::DeclaredDevice>> parse_devices(const std::vector<std::string>& texts);

}  // namespace pkvmemu::tool
