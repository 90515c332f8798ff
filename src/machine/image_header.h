// SPDX-License-Identifier: GPL-2.0-only
// The 64-byte header of an arm64 `Image` (Documentation/arch/arm64/booting.rst).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "support/result.h"

namespace pkvmemu::machine {

struct ImageHeader {
  std::uint64_t text_offset = 0;
  std::uint64_t image_size = 0;  ///< memory that it needs, .bss included; 0 in old images
};

/// An error says in words why `image` is none, or none for this machine.
Result<ImageHeader> parse_image_header(std::span<const std::byte> image);

}  // namespace pkvmemu::machine
