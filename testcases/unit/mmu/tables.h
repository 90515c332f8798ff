// SPDX-License-Identifier: GPL-2.0-only
// Hand-made translation tables for the walker tests: sparse memory and descriptor shorthands.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>

#include "mmu/translate.h"

namespace pkvmemu::mmu {

/// Descriptors by address; the rest of RAM reads as zero, everything from `end` on does not answer.
class TableMemory {
 public:
  void poke(std::uint64_t address, Descriptor descriptor) { words_[address] = descriptor; }
  std::optional<Descriptor> operator()(Pa pa) const {
    if (pa.value >= end) return std::nullopt;
    const auto found = words_.find(pa.value);
    return found == words_.end() ? 0 : found->second;
  }

  static constexpr std::uint64_t end = 0x1'0000'0000;

 private:
  std::map<std::uint64_t, Descriptor> words_;
};

namespace desc {
inline constexpr Descriptor table = 0b11;
inline constexpr Descriptor block = 0b01;
inline constexpr Descriptor page = 0b11;
inline constexpr Descriptor af = bit(10);
// Stage 1.
inline constexpr Descriptor unprivileged = bit(6);  // AP[1]
inline constexpr Descriptor read_only = bit(7);     // AP[2]
inline constexpr Descriptor pxn = bit(53);
inline constexpr Descriptor uxn = bit(54);
inline constexpr Descriptor pxn_table = bit(59);
inline constexpr Descriptor uxn_table = bit(60);
inline constexpr Descriptor no_unprivileged_table = bit(61);
inline constexpr Descriptor read_only_table = bit(62);
inline constexpr Descriptor contiguous = bit(52);
constexpr Descriptor attr_index(unsigned index) {
  return Descriptor{index} << 2;
}
constexpr Descriptor shareable(Shareability value) {
  return static_cast<Descriptor>(value) << 8;
}
// Stage 2.
inline constexpr Descriptor s2_read = bit(6);
inline constexpr Descriptor s2_write = bit(7);
constexpr Descriptor s2_xn(unsigned field) {
  return Descriptor{field} << 53;
}
constexpr Descriptor s2_mem(unsigned mem_attr) {
  return Descriptor{mem_attr} << 2;
}
inline constexpr Descriptor s2_normal = s2_mem(0xf) | s2_read | s2_write | af;
}  // namespace desc

namespace regs {
// TCR: 4 KiB granule in both halves (TG1 = 2), 48-bit output (IPS = 5), TxSZ for 39 bits.
inline constexpr std::uint64_t tcr_el1_39 = 25 | (25U << 16) | (2ULL << 30) | (5ULL << 32);
inline constexpr std::uint64_t tcr_el1_48 = 16 | (16U << 16) | (2ULL << 30) | (5ULL << 32);
inline constexpr std::uint64_t tcr_el2_48 = 16 | (5U << 16);
// VTCR: 40-bit IPA, 4 KiB, start level 1 (two concatenated tables), PS = 48 bits.
inline constexpr std::uint64_t vtcr_40 = 24 | (1U << 6) | (5U << 16);
}  // namespace regs

inline constexpr Access read_access{.kind = AccessKind::read};
inline constexpr Access write_access{.kind = AccessKind::write};
inline constexpr Access fetch_access{.kind = AccessKind::execute};
constexpr Access at_el0(Access access) {
  return {.kind = access.kind, .privilege = Privilege::unprivileged};
}

inline std::ostream& operator<<(std::ostream& out, const Fault& fault) {
  return out << "{type " << static_cast<int>(fault.type) << ", level " << int{fault.level}
             << ", stage " << static_cast<int>(fault.stage) << ", s1ptw " << fault.s1ptw
             << ", ipa 0x" << std::hex << fault.ipa.value << std::dec << "}";
}

inline std::ostream& operator<<(std::ostream& out, const Permissions& p) {
  return out << (p.read ? 'r' : '-') << (p.write ? 'w' : '-') << (p.execute ? 'x' : '-');
}

}  // namespace pkvmemu::mmu
