// SPDX-License-Identifier: GPL-2.0-only
// System registers that are not the engine's: what this board's ID registers say, and time. Time is
// the instruction count, so that two runs read the same.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "cpu/sys_reg.h"
#include "support/bits.h"

namespace pkvmemu::cpu {

/// CNTFRQ_EL0 as on QEMU's `virt`, at one instruction a nanosecond.
inline constexpr std::uint64_t counter_frequency = 62'500'000;
inline constexpr std::uint64_t instructions_per_tick = 1'000'000'000 / counter_frequency;

/// A field of an ID register that answers other than the engine says.
struct IdField {
  SysReg id;
  unsigned high;
  unsigned low;
  std::uint64_t value;
  std::string_view why;
};

inline constexpr std::array id_fields{
    IdField{reg::id_aa64pfr0_el1, 35, 32, 0, "SVE: the engine has none"},
    IdField{reg::id_aa64pfr0_el1, 27, 24, 0, "GIC: no CPU interface on this board"},
    IdField{reg::id_aa64pfr0_el1, 15, 12, 0, "EL3: the monitor is the machine's, not a guest's"},
    IdField{reg::id_aa64pfr0_el1, 59, 56, 1, "CSV2: branch predictors are not shared"},
    IdField{reg::id_aa64pfr0_el1, 63, 60, 1, "CSV3: nothing is speculated"},
    IdField{reg::id_aa64pfr1_el1, 11, 8, 0, "MTE: the engine has none"},
    IdField{reg::id_aa64dfr0_el1, 11, 8, 0, "PMU: its counters are host time"},
    IdField{reg::id_aa64isar0_el1, 63, 60, 0, "RNDR: host entropy would differ from run to run"},
    IdField{reg::id_aa64isar1_el1, 7, 4, 0, "APA: signing is slow; the hint forms still decode"},
    IdField{reg::id_aa64isar1_el1, 11, 8, 0, "API: as APA"},
    IdField{reg::id_aa64isar1_el1, 27, 24, 0, "GPA: as APA"},
    IdField{reg::id_aa64isar1_el1, 31, 28, 0, "GPI: as APA"},
    IdField{reg::id_aa64mmfr1_el1, 11, 8, 0, "VH: the engine does not redirect under E2H"},
    IdField{reg::id_aa64mmfr1_el1, 31, 28, 1, "XNX: walks are this machine's, and know it"},
    IdField{reg::ctr_el0, 28, 28, 1, "IDC: caches are not modelled"},
    IdField{reg::ctr_el0, 29, 29, 1, "DIC: caches are not modelled"},
};

/// The value with all rows of `id` applied; the value itself when there is none.
constexpr std::uint64_t apply_id_fields(SysReg id, std::uint64_t value) {
  for (const IdField& field : id_fields) {
    if (field.id != id) continue;
    const std::uint64_t mask = low_mask(field.high - field.low + 1) << field.low;
    value = (value & ~mask) | field.value << field.low;
  }
  return value;
}

constexpr bool has_id_fields(SysReg id) {
  return std::ranges::any_of(id_fields, [id](const IdField& field) { return field.id == id; });
}

}  // namespace pkvmemu::cpu
