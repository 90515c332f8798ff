// SPDX-License-Identifier: GPL-2.0-only
// VMSAv8-64 stage-1 descriptors, 4 KiB granule (Arm ARM D8.3), as far as the host kernel writes
// them: its own EL1 tables and the hypervisor's first EL2 tables.
#pragma once

#include <cstdint>

#include "host/asm_constants.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace descriptor {
inline constexpr std::uint64_t valid = bit(0);
inline constexpr std::uint64_t table_or_page = bit(1);
inline constexpr std::uint64_t read_only = bit(7);
inline constexpr std::uint64_t inner_shareable = std::uint64_t{3} << 8;
inline constexpr std::uint64_t accessed = bit(10);
inline constexpr std::uint64_t pxn = bit(53);
inline constexpr std::uint64_t uxn = bit(54);
inline constexpr std::uint64_t el2_res1 = bit(6);
inline constexpr std::uint64_t el2_xn = bit(54);
inline constexpr std::uint64_t address_mask = low_mask(48) & ~low_mask(12);
constexpr std::uint64_t attribute(unsigned index) {
  return std::uint64_t{index} << 2;
}
}  // namespace descriptor

/// Everything in a leaf but its address and its type.
struct Attributes {
  std::uint64_t value;
  constexpr bool operator==(const Attributes&) const = default;
};

namespace attributes {
namespace detail {
inline constexpr std::uint64_t normal =
    descriptor::accessed | descriptor::inner_shareable | descriptor::attribute(MAIR_INDEX_NORMAL);
}
// EL1; never executable at EL0.
inline constexpr Attributes kernel_text{detail::normal | descriptor::read_only | descriptor::uxn};
inline constexpr Attributes kernel_rodata{kernel_text.value | descriptor::pxn};
inline constexpr Attributes kernel_data{detail::normal | descriptor::pxn | descriptor::uxn};
inline constexpr Attributes device{descriptor::accessed | descriptor::pxn | descriptor::uxn |
                                   descriptor::attribute(MAIR_INDEX_DEVICE)};
inline constexpr Attributes device_text{device.value & ~descriptor::pxn};
// EL2.
inline constexpr Attributes hyp_text{detail::normal | descriptor::el2_res1 | descriptor::read_only};
inline constexpr Attributes hyp_rodata{hyp_text.value | descriptor::el2_xn};
inline constexpr Attributes hyp_data{detail::normal | descriptor::el2_res1 | descriptor::el2_xn};
}  // namespace attributes

}  // namespace pkvmemu::host
