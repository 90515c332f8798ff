// SPDX-License-Identifier: GPL-2.0-only
// PSTATE and vectors at exception entry, as pure functions (Arm ARM D1.3.5, AArch64.TakeException).
#pragma once

#include <cstdint>

#include "support/bits.h"

namespace pkvmemu::cpu {

/// Of A64, in bytes (Arm ARM B1.1).
inline constexpr std::uint64_t instruction_size = 4;

/// PSTATE in the layout of SPSR_ELx.
namespace pstate {
inline constexpr std::uint32_t sp_elx = 1U << 0;
inline constexpr unsigned el_shift = 2;
inline constexpr std::uint32_t daif = 0xfU << 6;
inline constexpr std::uint32_t btype = 3U << 10;
inline constexpr std::uint32_t il = 1U << 20;
inline constexpr std::uint32_t ss = 1U << 21;
inline constexpr std::uint32_t pan = 1U << 22;
inline constexpr std::uint32_t uao = 1U << 23;
inline constexpr std::uint32_t zero = 1U << 30;  ///< the Z flag
inline constexpr std::uint32_t mode = 0x1fU;     ///< M[4:0]

constexpr unsigned el(std::uint32_t value) {
  return value >> el_shift & 3U;
}
/// ELnh with everything masked: how the boot protocol enters, and the start of a handler.
constexpr std::uint32_t handler_mode(unsigned level) {
  return daif | level << el_shift | sp_elx;
}
}  // namespace pstate

inline constexpr std::uint64_t sctlr_span = bit(23);

/// Offset from VBAR_ELx to the group of four vectors that an exception from `before` uses.
constexpr std::uint64_t vector_group(std::uint32_t before, unsigned target_el) {
  if (pstate::el(before) < target_el) return 0x400;
  return (before & pstate::sp_elx) != 0 ? 0x200 : 0;
}

enum class VectorType : std::uint16_t { synchronous = 0, irq = 0x80, fiq = 0x100, serror = 0x180 };
inline constexpr std::uint64_t vector_size = 0x80;

/// PSTATE of the handler. `target_sctlr` is SCTLR_EL1 where EL1 is the target: SPAN decides about
/// PAN there, and only there, since this CPU has no VHE.
constexpr std::uint32_t pstate_at_entry(std::uint32_t before, unsigned target_el,
                                        std::uint64_t target_sctlr) {
  std::uint32_t after =
      before & ~(pstate::mode | pstate::btype | pstate::il | pstate::ss | pstate::uao);
  after |= pstate::handler_mode(target_el);
  if (target_el == 1 && (target_sctlr & sctlr_span) == 0) after |= pstate::pan;
  return after;
}

}  // namespace pkvmemu::cpu
