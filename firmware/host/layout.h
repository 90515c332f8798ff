// SPDX-License-Identifier: GPL-2.0-only
// Where things lie in the EL1 kernel's address space: the layout of a GKI kernel with 4 KiB pages,
// for the VA_BITS it was built with (39) and for 48. Modules have this arithmetic compiled in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "pkvm/generation.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::host {

class KernelLayout {
 public:
  static constexpr std::optional<KernelLayout> for_va_bits(std::uint64_t va_bits) {
    if (va_bits != 39 && va_bits != 48) return std::nullopt;
    return KernelLayout(static_cast<unsigned>(va_bits));
  }

  constexpr unsigned va_bits() const { return va_bits_; }
  /// Start of the linear map: the upper half of the address space, minus nothing.
  constexpr std::uint64_t page_offset() const { return ~low_mask(va_bits_); }
  /// End of the linear map: it takes the lower half of the kernel's addresses.
  constexpr std::uint64_t page_end() const { return ~low_mask(va_bits_ - 1); }
  constexpr std::uint64_t modules_begin() const { return page_end(); }
  static constexpr std::uint64_t modules_size = std::uint64_t{2} << 30;
  constexpr std::uint64_t image_base() const { return modules_begin() + modules_size; }

  /// Modules live in the 128 MiB below the image, so that their calls reach it directly.
  static constexpr std::uint64_t module_window_size = std::uint64_t{128} << 20;
  constexpr std::uint64_t module_window_begin() const {
    return image_base() - module_window_size + (std::uint64_t{16} << 20);
  }
  constexpr std::uint64_t module_window_end() const { return image_base(); }

  /// Where a kernel of the generation has its array of struct page: one of 64 bytes for each page
  /// of the linear map. Up to 6.8 it began at a power of two, since then it ends 1 GiB below the
  /// top.
  constexpr std::uint64_t vmemmap_begin(pkvm::Generation generation) const {
    constexpr std::uint64_t above = std::uint64_t{1} << 30;
    const std::uint64_t size = (page_end() - page_offset()) >> (page_shift - record_shift);
    const std::array<std::uint64_t, pkvm::generation_count> rows = {0 - 2 * size, 0 - 2 * size,
                                                                    0 - above - size};
    return rows[static_cast<std::size_t>(generation)];
  }

  /// Devices and other mappings of our own.
  constexpr std::uint64_t vmap_begin() const { return image_base() + (std::uint64_t{256} << 20); }
  static constexpr std::uint64_t vmap_size = std::uint64_t{256} << 20;
  /// Two pages for the wish `touch`: at addresses that depend on nothing else.
  constexpr std::uint64_t touch_begin() const { return vmap_begin() + vmap_size; }
  static constexpr std::uint64_t touch_size = 2 * page_size;

 private:
  static constexpr unsigned record_shift = 6;
  constexpr explicit KernelLayout(unsigned va_bits) : va_bits_(va_bits) {}
  unsigned va_bits_;
};

}  // namespace pkvmemu::host
