// SPDX-License-Identifier: GPL-2.0-only
// Where things go in RAM: the rule of QEMU's `virt` board (hw/arm/boot.c), so that one image sees
// the same addresses on both machines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "pkvm/platform.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::machine {

inline constexpr std::uint64_t boot_alignment = 0x20'0000;
/// QEMU keeps the first page of RAM for its own start code.
inline constexpr std::uint64_t start_code_size = 0x1000;
/// Images from before text_offset was reliable say so by image_size 0.
inline constexpr std::uint64_t legacy_text_offset = 0x8'0000;

struct Range {
  Pa base;
  std::uint64_t size = 0;

  [[nodiscard]] constexpr Pa end() const { return base + size; }
  /// All pages that it touches.
  [[nodiscard]] constexpr Range pages() const {
    const std::uint64_t start = align_down(base.value, page_size);
    return {.base = Pa{start}, .size = align_up(end().value, page_size) - start};
  }
  [[nodiscard]] constexpr bool overlaps(const Range& other) const {
    return size != 0 && other.size != 0 && base < other.end() && other.base < end();
  }
};

constexpr Pa ram_end(std::uint64_t ram_size) {
  return Pa{pkvm::platform::ram_base} + ram_size;
}

/// `text_offset` and `image_size` as in the image header.
constexpr Pa kernel_address(std::uint64_t text_offset, std::uint64_t image_size) {
  std::uint64_t offset = image_size == 0 ? legacy_text_offset : text_offset;
  if (offset < start_code_size) offset += boot_alignment;
  return Pa{pkvm::platform::ram_base + offset};
}

/// The initrd 128 MiB into RAM, or half-way where RAM is small.
constexpr Pa initrd_address(std::uint64_t ram_size) {
  return Pa{pkvm::platform::ram_base + std::min(ram_size / 2, pkvm::platform::initrd_offset)};
}

/// The devicetree takes the initrd's place, or the next 2 MiB boundary after it.
constexpr Pa devicetree_address(std::uint64_t ram_size, std::uint64_t initrd_size) {
  const Pa initrd = initrd_address(ram_size);
  return initrd_size == 0 ? initrd : Pa{align_up((initrd + initrd_size).value, boot_alignment)};
}

constexpr Range pvmfw_range(std::uint64_t ram_size) {
  return {.base = ram_end(ram_size) - pkvm::platform::pvmfw_below_ram_end,
          .size = pkvm::platform::pvmfw_size};
}
constexpr Range hyp_ring_range(std::uint64_t ram_size) {
  return {.base = ram_end(ram_size) - pkvm::platform::hyp_ring_below_ram_end,
          .size = pkvm::platform::event_ring_size};
}
constexpr Range host_ring_range(std::uint64_t ram_size) {
  return {.base = ram_end(ram_size) - pkvm::platform::host_ring_below_ram_end,
          .size = pkvm::platform::event_ring_size};
}

}  // namespace pkvmemu::machine
