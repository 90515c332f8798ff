// SPDX-License-Identifier: GPL-2.0-only
#include "firmware_image.h"

// firmware_image.S
extern "C" const std::byte pkvmemu_firmware_begin[];
extern "C" const std::byte pkvmemu_firmware_end[];
extern "C" const char pkvmemu_host_names_begin[];
extern "C" const char pkvmemu_host_names_end[];
extern "C" const char pkvmemu_hyp_names_begin[];
extern "C" const char pkvmemu_hyp_names_end[];

namespace pkvmemu::tool {

std::span<const std::byte> builtin_firmware() {
  return {pkvmemu_firmware_begin, pkvmemu_firmware_end};
}

FirmwareNames builtin_names() {
  return {.host = {pkvmemu_host_names_begin, pkvmemu_host_names_end},
          .hyp = {pkvmemu_hyp_names_begin, pkvmemu_hyp_names_end}};
}

}  // namespace pkvmemu::tool
