// SPDX-License-Identifier: GPL-2.0-only
// Addresses that cannot be mixed up. Conversion between spaces is always a named function of
// whoever owns the translation; there is no implicit one. Freestanding: guest code uses it too.
#pragma once

#include <compare>
#include <cstdint>

namespace pkvmemu {

/// An address in one address space; `Tag` says which.
template <typename Tag>
struct Address {
  std::uint64_t value = 0;

  constexpr Address() = default;
  constexpr explicit Address(std::uint64_t v) : value(v) {}
  constexpr auto operator<=>(const Address&) const = default;
  constexpr Address operator+(std::uint64_t bytes) const { return Address{value + bytes}; }
  constexpr Address operator-(std::uint64_t bytes) const { return Address{value - bytes}; }
  constexpr std::uint64_t operator-(Address other) const { return value - other.value; }
};

/// Virtual address of whatever regime is in force (EL1 kernel or EL2).
using Va = Address<struct VaTag>;
/// Intermediate physical address: what stage 1 of the host or a guest produces, before stage 2.
using Ipa = Address<struct IpaTag>;
/// Physical address.
using Pa = Address<struct PaTag>;
/// Virtual address in the hypervisor's own EL2 address space.
using HypVa = Address<struct HypVaTag>;
/// Virtual address in the host kernel's EL1 address space.
using KernVa = Address<struct KernVaTag>;

inline constexpr unsigned page_shift = 12;
inline constexpr std::uint64_t page_size = std::uint64_t{1} << page_shift;

/// Page frame number: physical address >> 12.
struct Pfn {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const Pfn&) const = default;
};
constexpr Pfn pfn_of(Pa pa) {
  return Pfn{pa.value >> page_shift};
}
constexpr Pa pa_of(Pfn pfn) {
  return Pa{pfn.value << page_shift};
}

}  // namespace pkvmemu
