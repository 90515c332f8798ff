// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as an initramfs: the walk ends and stays inside.
#include <cstddef>
#include <cstdint>
#include <span>

#include "image/cpio.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pkvmemu::image::CpioReader reader(std::as_bytes(std::span(data, size)));
  for (auto entry = reader.next(); entry && *entry; entry = reader.next()) {
  }
  return 0;
}
