// SPDX-License-Identifier: GPL-2.0-only
// What the boot loader told us, read once from the devicetree while the identity map is on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "image/fdt.h"
#include "pkvm/hyp_image.h"
#include "support/address.h"

namespace pkvmemu::host {

struct PhysRange {
  Pa base;
  std::uint64_t size = 0;
  constexpr Pa end() const { return base + size; }
  constexpr bool empty() const { return size == 0; }
  constexpr bool operator==(const PhysRange&) const = default;
};

template <typename T, std::size_t N>
class FixedList {
 public:
  constexpr bool add(const T& item) {
    if (size_ == N) return false;
    items_[size_++] = item;
    return true;
  }
  constexpr std::span<const T> all() const { return {items_.data(), size_}; }
  constexpr std::span<T> all() { return {items_.data(), size_}; }

 private:
  std::array<T, N> items_{};
  std::size_t size_ = 0;
};

struct Reserved {
  PhysRange range;
  /// no-map: not in the kernel's linear map.
  bool nomap = false;
};

/// Empty without one.
struct GicV3 {
  PhysRange distributor;
  PhysRange redistributors;
};

struct BootInfo {
  PhysRange devicetree;
  PhysRange image;
  PhysRange initrd;
  FixedList<PhysRange, 8> memory;    ///< RAM, sorted
  FixedList<Reserved, 16> reserved;  ///< sorted
  PhysRange pvmfw;                   ///< empty without pVM firmware (pkvm-abi.md 6.6)
  /// Why a pvmfw node was ignored; nullptr when it was not.
  const char* pvmfw_refusal = nullptr;
  FixedList<PhysRange, pkvm::max_assignable_devices>
      assignable;        ///< devices for guests (pkvm-abi.md 7.4)
  PhysRange event_port;  ///< empty without one
  PhysRange hyp_ring, host_ring;
  GicV3 gic;
  std::array<char, 2048> command_line{};
  std::size_t command_line_size = 0;

  constexpr std::string_view arguments() const { return {command_line.data(), command_line_size}; }
};

/// Reads everything but `image` and `devicetree.base`.
void read_devicetree(const image::Fdt& tree, BootInfo& boot);

}  // namespace pkvmemu::host
