// SPDX-License-Identifier: GPL-2.0-only
// Where things lie in the EL1 kernel's address space: the layout of a GKI kernel with 4 KiB pages,
// for the VA_BITS it was built with (39) and for 48. Modules have this arithmetic compiled in.
#pragma once

#include <cstdint>
#include <optional>

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

  /// Devices and other mappings of our own.
  constexpr std::uint64_t vmap_begin() const { return image_base() + (std::uint64_t{256} << 20); }
  static constexpr std::uint64_t vmap_size = std::uint64_t{256} << 20;
  /// Two pages for the wish `touch`: at addresses that depend on nothing else.
  constexpr std::uint64_t touch_begin() const { return vmap_begin() + vmap_size; }
  static constexpr std::uint64_t touch_size = 2 * page_size;

 private:
  constexpr explicit KernelLayout(unsigned va_bits) : va_bits_(va_bits) {}
  unsigned va_bits_;
};

}  // namespace pkvmemu::host
