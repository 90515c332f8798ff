// SPDX-License-Identifier: GPL-2.0-only
#include "firmware_image.h"

// firmware_image.S
extern "C" const std::byte pkvmemu_firmware_begin[];
extern "C" const std::byte pkvmemu_firmware_end[];

namespace pkvmemu::tool {

std::span<const std::byte> builtin_firmware() {
  return {pkvmemu_firmware_begin, pkvmemu_firmware_end};
}

}  // namespace pkvmemu::tool
