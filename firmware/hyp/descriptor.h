// SPDX-License-Identifier: GPL-2.0-only
// Page-table descriptors, 4 KiB granule (pkvm-abi.md 7.4; Arm ARM D8.3): what the two formats that
// EL2 writes have in common, and how each encodes a Prot.
#pragma once

#include <array>
#include <cstdint>

#include "hyp/prot.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

/// One 64-bit descriptor.
struct Descriptor {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const Descriptor&) const = default;
};

inline constexpr unsigned last_level = 3;
inline constexpr unsigned entries_per_table = 512;
inline constexpr std::uint64_t descriptor_valid = bit(0);
inline constexpr std::uint64_t descriptor_table = bit(1);  // page at the last level
inline constexpr std::uint64_t descriptor_access_flag = bit(10);
inline constexpr std::uint64_t descriptor_address = low_mask(48) & ~low_mask(page_shift);
inline constexpr unsigned descriptor_state_shift = 55;

/// Bytes that one entry of `level` covers.
constexpr std::uint64_t level_size(unsigned level) {
  return std::uint64_t{1} << (page_shift + (9 * (last_level - level)));
}
/// A leaf may stand at 1 GiB, 2 MiB and 4 KiB; 512 GiB blocks need LPA2.
constexpr bool level_may_hold_leaf(unsigned level) {
  return level >= 1;
}

constexpr bool is_valid(Descriptor d) {
  return (d.value & descriptor_valid) != 0;
}
constexpr bool is_table(Descriptor d, unsigned level) {
  return is_valid(d) && level != last_level && (d.value & descriptor_table) != 0;
}
constexpr Pa address_of(Descriptor d) {
  return Pa{d.value & descriptor_address};
}
constexpr Descriptor table_descriptor(Pa table) {
  return {table.value | descriptor_table | descriptor_valid};
}
/// Everything of a leaf but its address and type: what splitting and comparing need.
constexpr std::uint64_t attributes_of(Descriptor d) {
  return d.value & ~(descriptor_address | descriptor_table | descriptor_valid);
}
/// Address bits that no descriptor holds are dropped, so that a wild address gets no rights.
constexpr Descriptor leaf_descriptor(Pa pa, std::uint64_t attributes, unsigned level) {
  return {(pa.value & descriptor_address) | attributes | descriptor_valid |
          (level == last_level ? descriptor_table : 0)};
}

// Software bits: the page's state.
constexpr std::uint64_t state_attribute(PageState state) {
  return static_cast<std::uint64_t>(state) << descriptor_state_shift;
}
constexpr PageState state_of(Descriptor d) {
  return static_cast<PageState>(bits(d.value, 56, descriptor_state_shift));
}

// An invalid descriptor notes who owns what it would map (pkvm-abi.md 7.3).
constexpr Descriptor owner_annotation(OwnerId owner) {
  return {static_cast<std::uint64_t>(owner) << 2};
}
constexpr OwnerId annotated_owner(Descriptor d) {
  return static_cast<OwnerId>(bits(d.value, 9, 2));
}

/// Stands in a guest's table for a page that the guest told to be MMIO (7.3): the letters MMIO over
/// bit 0 in 6.1, later one bit.
constexpr Descriptor mmio_note(pkvm::Generation id) {
  constexpr std::uint64_t letters = std::uint64_t{0x4D4D'494F} << 1U;
  constexpr static std::array<std::uint64_t, pkvm::generation_count> rows = {letters, bit(11),
                                                                             bit(11)};
  return {rows[static_cast<std::size_t>(id)]};
}

/// What a fixed slot keeps when it is unmapped: everything but the valid bit.
constexpr Descriptor without_valid(Descriptor d) {
  return {d.value & ~descriptor_valid};
}
/// Attribute index of a stage-1 leaf.
inline constexpr std::uint64_t stage1_attribute_index = std::uint64_t{7} << 2;

/// What the generations do differently there (pkvm-abi.md 1.1).
struct HypLeafRules {
  bool only_cacheable_runs;    ///< X is refused on all that is not normal cacheable memory
  std::uint64_t device_index;  ///< AttrIdx of device memory: 3 nGnRnE, 4 nGnRE
};

constexpr const HypLeafRules& hyp_leaf_rules(pkvm::Generation id) {
  constexpr static std::array<HypLeafRules, pkvm::generation_count> rows = {{
      {.only_cacheable_runs = false, .device_index = 3},
      {.only_cacheable_runs = false, .device_index = 3},
      {.only_cacheable_runs = true, .device_index = 4},
  }};
  return rows[static_cast<std::size_t>(id)];
}

/// Attributes of a hyp stage-1 leaf, or -EINVAL by the rules of pkvm-abi.md 1.1.
constexpr Expected<std::uint64_t> hyp_attributes(Prot prot, PageState state,
                                                 pkvm::Generation generation) {
  const HypLeafRules& rules = hyp_leaf_rules(generation);
  if (!prot.has(Prot::r) || prot.any(Prot::pxn | Prot::uxn)) return error(Errno::einval);
  if (prot.has(Prot::device | Prot::nc) || prot.has(Prot::w | Prot::x)) return error(Errno::einval);
  const std::uint64_t not_executable = Prot::device | (rules.only_cacheable_runs ? Prot::nc : 0);
  if (prot.has(Prot::x) && prot.any(not_executable)) return error(Errno::einval);

  std::uint64_t index = 0;
  if (prot.has(Prot::device)) index = rules.device_index;
  if (prot.has(Prot::nc)) index = 2;
  constexpr std::uint64_t inner_shareable = std::uint64_t{3} << 8;
  std::uint64_t attributes = (index << 2) | inner_shareable | descriptor_access_flag;
  attributes |= std::uint64_t{prot.has(Prot::w) ? 1U : 3U} << 6;  // AP[2:1]
  if (!prot.has(Prot::x)) attributes |= bit(54);
  return attributes | state_attribute(state);
}

/// The R, W and X that a hyp leaf grants.
constexpr Prot hyp_permission(Descriptor d) {
  return Prot{Prot::r | (test_bit(d.value, 7) ? 0 : Prot::w) |
              (test_bit(d.value, 54) ? 0 : Prot::x)};
}

/// Execute-never field of a stage-2 leaf, FEAT_XNX (Arm ARM D8.4.2.3.3): 0 runs everywhere, 1 not
/// at EL1, 2 nowhere, 3 not at EL0.
constexpr std::uint64_t stage2_execute_never(Prot prot) {
  if (!prot.has(Prot::x) || prot.has(Prot::pxn | Prot::uxn)) return 2;
  if (prot.has(Prot::pxn)) return 1;
  return prot.has(Prot::uxn) ? 3 : 0;
}
inline constexpr unsigned stage2_execute_never_shift = 53;

/// Attributes of a stage-2 leaf (no FWB).
constexpr std::uint64_t stage2_attributes(Prot prot, PageState state) {
  std::uint64_t memory = 0xF;
  if (prot.has(Prot::device)) memory = 0x1;
  if (prot.has(Prot::nc)) memory = 0x5;
  constexpr std::uint64_t inner_shareable = std::uint64_t{3} << 8;
  std::uint64_t attributes = (memory << 2) | inner_shareable | descriptor_access_flag;
  if (prot.has(Prot::r)) attributes |= bit(6);
  if (prot.has(Prot::w)) attributes |= bit(7);
  attributes |= stage2_execute_never(prot) << stage2_execute_never_shift;
  return attributes | state_attribute(state);
}

/// The R, W and X that a stage-2 leaf grants to somebody.
constexpr Prot stage2_permission(Descriptor d) {
  const bool runs = bits(d.value, 54, stage2_execute_never_shift) != 2;
  return Prot{(test_bit(d.value, 6) ? Prot::r : 0) | (test_bit(d.value, 7) ? Prot::w : 0) |
              (runs ? Prot::x : 0)};
}

}  // namespace pkvmemu::hyp
