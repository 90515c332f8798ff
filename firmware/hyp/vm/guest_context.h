// SPDX-License-Identifier: GPL-2.0-only
// What changes hands when a CPU turns from the host to a guest and back: EL1's system registers
// (pkvm-abi.md 9; Arm ARM D17), and what EL2 has no use for (arch::WorldRegisters). General
// registers go through hyp_enter_guest (guest_entry.S).
#pragma once

#include <array>

#include "hyp/abi_types.h"
#include "lib/arch.h"

namespace pkvmemu::hyp {

/// EL1 and EL0 registers that a guest owns while it runs.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one list, the array and the accessors from it.
#define PKVM_GUEST_REGISTERS(X) \
  X(sctlr_el1)                  \
  X(cpacr_el1)                  \
  X(ttbr0_el1)                  \
  X(ttbr1_el1)                  \
  X(tcr_el1)                    \
  X(esr_el1)                    \
  X(afsr0_el1)                  \
  X(afsr1_el1)                  \
  X(far_el1)                    \
  X(mair_el1)                   \
  X(amair_el1)                  \
  X(vbar_el1)                   \
  X(contextidr_el1)             \
  X(tpidr_el0)                  \
  X(tpidrro_el0)                \
  X(tpidr_el1)                  \
  X(cntkctl_el1)                \
  X(par_el1)                    \
  X(mdscr_el1)                  \
  X(csselr_el1)                 \
  X(sp_el0)                     \
  X(sp_el1)                     \
  X(elr_el1)                    \
  X(spsr_el1)

struct El1Registers {
  enum Index : std::uint8_t {
#define PKVM_INDEX(name) name,
    PKVM_GUEST_REGISTERS(PKVM_INDEX)
#undef PKVM_INDEX
        count
  };
  std::array<std::uint64_t, count> value{};

  static El1Registers save() {
    El1Registers saved;
#define PKVM_SAVE(name) saved.value[name] = arch::read<arch::Sysreg::name>();
    PKVM_GUEST_REGISTERS(PKVM_SAVE)
#undef PKVM_SAVE
    return saved;
  }
  void restore() const {
#define PKVM_RESTORE(name) arch::write<arch::Sysreg::name>(value[name]);
    PKVM_GUEST_REGISTERS(PKVM_RESTORE)
#undef PKVM_RESTORE
  }
};

/// A guest's registers while it does not run. `general` holds x0 to x30, pc and pstate.
struct GuestContext {
  user_pt_regs general{};
  El1Registers el1;
  arch::WorldRegisters world;
};

}  // namespace pkvmemu::hyp
