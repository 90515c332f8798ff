// SPDX-License-Identifier: GPL-2.0-only
// struct pkvm_el2_module, which struct module embeds as arch.hyp: its fields per generation, and
// the sections that it describes (pkvm-abi.md 2.2 and 2.4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvmemu::kmod {

/// The parts of a module's EL2 image, in the order of the section descriptors.
enum class HypPart : std::uint8_t { text, bss, rodata, data, event_ids, patchable };
inline constexpr std::size_t hyp_part_count = 6;

/// EL2 page permissions as map_module_page takes them.
inline constexpr std::uint64_t hyp_prot_x = 1;
inline constexpr std::uint64_t hyp_prot_w = 2;
inline constexpr std::uint64_t hyp_prot_r = 4;

struct HypPartRow {
  HypPart part;
  std::string_view section;
  std::uint64_t prot;
  pkvm::Generation since;
};

inline constexpr std::array<HypPartRow, hyp_part_count> hyp_part_rows = {{
    {HypPart::text, ".hyp.text", hyp_prot_r | hyp_prot_x, pkvm::Generation::android14_6_1},
    {HypPart::bss, ".hyp.bss", hyp_prot_r | hyp_prot_w, pkvm::Generation::android14_6_1},
    {HypPart::rodata, ".hyp.rodata", hyp_prot_r, pkvm::Generation::android14_6_1},
    {HypPart::data, ".hyp.data", hyp_prot_r | hyp_prot_w, pkvm::Generation::android14_6_1},
    {HypPart::event_ids, ".hyp.event_ids", hyp_prot_r, pkvm::Generation::android15_6_6},
    {HypPart::patchable, ".hyp.patchable_function_entries", hyp_prot_r,
     pkvm::Generation::android16_6_12},
}};

/// Byte offsets inside the struct; a descriptor is {start, end}.
struct ArchHypFields {
  static constexpr std::uint16_t absent = 0xffff;
  std::array<std::uint16_t, hyp_part_count> part;
  std::uint16_t sections;
  std::uint16_t hyp_events;
  std::uint16_t nr_hyp_events;
  std::uint16_t printk_fmts;
  std::uint16_t nr_printk_fmts;
  std::uint16_t relocs;
  std::uint16_t nr_relocs;
  std::uint16_t token;
};

inline constexpr std::uint16_t no_field = ArchHypFields::absent;

inline constexpr std::array<ArchHypFields, pkvm::generation_count> arch_hyp_fields = {{
    {.part = {0, 16, 32, 48, no_field, no_field},
     .sections = no_field,
     .hyp_events = no_field,
     .nr_hyp_events = no_field,
     .printk_fmts = no_field,
     .nr_printk_fmts = no_field,
     .relocs = 64,
     .nr_relocs = 72,
     .token = no_field},
    {.part = {0, 16, 32, 48, 64, no_field},
     .sections = 80,
     .hyp_events = 96,
     .nr_hyp_events = 104,
     .printk_fmts = no_field,
     .nr_printk_fmts = no_field,
     .relocs = 112,
     .nr_relocs = 144,
     .token = 136},
    {.part = {0, 16, 32, 48, 64, 80},
     .sections = 96,
     .hyp_events = 120,
     .nr_hyp_events = 136,
     .printk_fmts = 128,
     .nr_printk_fmts = 140,
     .relocs = 144,
     .nr_relocs = 184,
     .token = 112},
}};

constexpr const ArchHypFields& arch_hyp(pkvm::Generation id) {
  return arch_hyp_fields[static_cast<std::size_t>(id)];
}

}  // namespace pkvmemu::kmod
