// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/system_registers.h"

#include "cpu/cpu.h"
#include "cpu/engine.h"

namespace pkvmemu::cpu {
namespace {

constexpr std::uint64_t hcr_tid2 = bit(17);
constexpr std::uint64_t hcr_tid3 = bit(18);
constexpr std::uint64_t mdcr_tpm = bit(6);
constexpr std::uint64_t pmuserenr_cycles = bit(0) | bit(2);  ///< EN, CR
constexpr std::uint64_t el1_physical_counter = bit(0);       ///< CNTHCTL_EL2.EL1PCTEN
constexpr std::uint64_t el0_physical_counter = bit(0);       ///< CNTKCTL_EL1.EL0PCTEN
constexpr std::uint64_t el0_virtual_counter = bit(1);        ///< CNTKCTL_EL1.EL0VCTEN

/// Whether the read is allowed as it stands. If not, the engine refuses or traps it.
bool counter_readable(const Engine& engine, SysReg id, unsigned el) {
  const bool physical = id == reg::cntpct_el0;
  if (el == 0 &&
      (engine.get(reg::cntkctl_el1) & (physical ? el0_physical_counter : el0_virtual_counter)) == 0)
    return false;
  return el == 2 || !physical || (engine.get(reg::cnthctl_el2) & el1_physical_counter) != 0;
}

bool cycles_readable(const Engine& engine, unsigned el) {
  if (el == 0 && (engine.get(reg::pmuserenr_el0) & pmuserenr_cycles) == 0) return false;
  return el == 2 || (engine.get(reg::mdcr_el2) & mdcr_tpm) == 0;
}

bool id_readable(const Engine& engine, SysReg id, unsigned el) {
  if (el == 0) return false;  // CTR_EL0 under SCTLR_EL1.UCT: the engine's own value will do
  return el == 2 || (engine.get(reg::hcr_el2) & (id == reg::ctr_el0 ? hcr_tid2 : hcr_tid3)) == 0;
}

/// A number that depends on the time alone (the finaliser of SplitMix64).
std::uint64_t scramble(std::uint64_t value) {
  value += 0x9e37'79b9'7f4a'7c15;
  value = (value ^ value >> 30) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ value >> 27) * 0x94d0'49bb'1331'11eb;
  return value ^ value >> 31;
}

}  // namespace

/// What an MRS of `id` reads, when it is not for the engine to say.
std::optional<std::uint64_t> Cpu::overlay(SysReg id) noexcept {
  if (id == reg::cntvct_el0 || id == reg::cntpct_el0) {
    if (!counter_readable(*engine_, id, el())) return std::nullopt;
    const std::uint64_t ticks = instructions_at(pc()) / instructions_per_tick;
    return id == reg::cntpct_el0 ? ticks : ticks - engine_->get(reg::cntvoff_el2);
  }
  // Not offered by the ID registers; a guest that tries all the same must not read the host's clock
  // or entropy.
  if (id == reg::pmccntr_el0 && cycles_readable(*engine_, el())) return instructions_at(pc());
  if (id == reg::rndr || id == reg::rndrrs) {
    engine_->set(UC_ARM64_REG_NZCV, 0);
    return scramble(instructions_at(pc()));
  }
  if (has_id_fields(id) && id_readable(*engine_, id, el()))
    return apply_id_fields(id, engine_->get(id));
  return std::nullopt;
}

}  // namespace pkvmemu::cpu
