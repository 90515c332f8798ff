// SPDX-License-Identifier: GPL-2.0-only
// The firmware that this executable carries: an arm64 Image (docs/design.md, section 2).
#pragma once

#include <cstddef>
#include <span>

namespace pkvmemu::tool {

std::span<const std::byte> builtin_firmware();

}  // namespace pkvmemu::tool
