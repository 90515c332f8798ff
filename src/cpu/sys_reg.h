// SPDX-License-Identifier: GPL-2.0-only
// Names of system registers: the five numbers by which MRS and MSR reach them (Arm ARM D18).
#pragma once

#include <compare>
#include <cstdint>

#include "support/bits.h"

namespace pkvmemu::cpu {

/// op0:op1:CRn:CRm:op2, as bits 20:5 of MRS and MSR hold them.
struct SysReg {
  std::uint16_t encoding = 0;

  constexpr auto operator<=>(const SysReg&) const = default;
  [[nodiscard]] constexpr unsigned op0() const { return field(15, 14); }
  [[nodiscard]] constexpr unsigned op1() const { return field(13, 11); }
  [[nodiscard]] constexpr unsigned crn() const { return field(10, 7); }
  [[nodiscard]] constexpr unsigned crm() const { return field(6, 3); }
  [[nodiscard]] constexpr unsigned op2() const { return field(2, 0); }

 private:
  [[nodiscard]] constexpr unsigned field(unsigned high, unsigned low) const {
    return static_cast<unsigned>(bits(encoding, high, low));
  }
};

constexpr SysReg sys_reg(unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2) {
  return {static_cast<std::uint16_t>(op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2)};
}

namespace reg {
inline constexpr SysReg id_aa64pfr0_el1 = sys_reg(3, 0, 0, 4, 0);
inline constexpr SysReg id_aa64pfr1_el1 = sys_reg(3, 0, 0, 4, 1);
inline constexpr SysReg id_aa64zfr0_el1 = sys_reg(3, 0, 0, 4, 4);
inline constexpr SysReg id_aa64isar0_el1 = sys_reg(3, 0, 0, 6, 0);
inline constexpr SysReg id_aa64isar1_el1 = sys_reg(3, 0, 0, 6, 1);
inline constexpr SysReg id_aa64mmfr0_el1 = sys_reg(3, 0, 0, 7, 0);
inline constexpr SysReg id_aa64mmfr1_el1 = sys_reg(3, 0, 0, 7, 1);
inline constexpr SysReg ctr_el0 = sys_reg(3, 3, 0, 0, 1);
inline constexpr SysReg id_aa64dfr0_el1 = sys_reg(3, 0, 0, 5, 0);
inline constexpr SysReg pmcr_el0 = sys_reg(3, 3, 9, 12, 0);
inline constexpr SysReg pmccntr_el0 = sys_reg(3, 3, 9, 13, 0);
inline constexpr SysReg pmuserenr_el0 = sys_reg(3, 3, 9, 14, 0);
inline constexpr SysReg rndr = sys_reg(3, 3, 2, 4, 0);
inline constexpr SysReg rndrrs = sys_reg(3, 3, 2, 4, 1);
inline constexpr SysReg cntfrq_el0 = sys_reg(3, 3, 14, 0, 0);
inline constexpr SysReg cntpct_el0 = sys_reg(3, 3, 14, 0, 1);
inline constexpr SysReg cntvct_el0 = sys_reg(3, 3, 14, 0, 2);
inline constexpr SysReg cntkctl_el1 = sys_reg(3, 0, 14, 1, 0);
inline constexpr SysReg cnthctl_el2 = sys_reg(3, 4, 14, 1, 0);
inline constexpr SysReg cntvoff_el2 = sys_reg(3, 4, 14, 0, 3);

inline constexpr SysReg sctlr_el1 = sys_reg(3, 0, 1, 0, 0);
inline constexpr SysReg cpacr_el1 = sys_reg(3, 0, 1, 0, 2);
inline constexpr SysReg ttbr0_el1 = sys_reg(3, 0, 2, 0, 0);
inline constexpr SysReg ttbr1_el1 = sys_reg(3, 0, 2, 0, 1);
inline constexpr SysReg tcr_el1 = sys_reg(3, 0, 2, 0, 2);
inline constexpr SysReg spsr_el1 = sys_reg(3, 0, 4, 0, 0);
inline constexpr SysReg par_el1 = sys_reg(3, 0, 7, 4, 0);
inline constexpr SysReg mair_el1 = sys_reg(3, 0, 10, 2, 0);

inline constexpr SysReg sctlr_el2 = sys_reg(3, 4, 1, 0, 0);
inline constexpr SysReg hcr_el2 = sys_reg(3, 4, 1, 1, 0);
inline constexpr SysReg mdcr_el2 = sys_reg(3, 4, 1, 1, 1);
inline constexpr SysReg ttbr0_el2 = sys_reg(3, 4, 2, 0, 0);
inline constexpr SysReg tcr_el2 = sys_reg(3, 4, 2, 0, 2);
inline constexpr SysReg vttbr_el2 = sys_reg(3, 4, 2, 1, 0);
inline constexpr SysReg vtcr_el2 = sys_reg(3, 4, 2, 1, 2);
inline constexpr SysReg spsr_el2 = sys_reg(3, 4, 4, 0, 0);
inline constexpr SysReg hpfar_el2 = sys_reg(3, 4, 6, 0, 4);
inline constexpr SysReg mair_el2 = sys_reg(3, 4, 10, 2, 0);
inline constexpr SysReg scr_el3 = sys_reg(3, 6, 1, 1, 0);
}  // namespace reg

}  // namespace pkvmemu::cpu
