// SPDX-License-Identifier: GPL-2.0-only
// The firmware that this executable carries: an arm64 Image (docs/design.md, section 2).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace pkvmemu::tool {

std::span<const std::byte> builtin_firmware();

/// Its symbols, as `nm -S` lists them.
struct FirmwareNames {
  std::string_view host;
  std::string_view hyp;
};
FirmwareNames builtin_names();

}  // namespace pkvmemu::tool
