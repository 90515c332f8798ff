// SPDX-License-Identifier: GPL-2.0-only
// The architecture as the firmware's logic sees it: system registers, barriers, TLB and cache
// maintenance, SMC, and the instruction for "this cannot be".
//
// Guest builds get arch_real.h (the instructions); native builds get arch_fake.h (variables that a
// test sets and reads), so everything above this line runs under GoogleTest unchanged.
#pragma once

#include <array>
#include <cstdint>

namespace pkvmemu::arch {

// Every system register that the C++ parts of the hypervisor touch.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one list, an enum and the accessors from it.
#define PKVM_SYSTEM_REGISTERS(X) \
  X(esr_el2)                     \
  X(far_el2)                     \
  X(hpfar_el2)                   \
  X(elr_el2)                     \
  X(spsr_el2)                    \
  X(hcr_el2)                     \
  X(mdcr_el2)                    \
  X(sctlr_el2)                   \
  X(tpidr_el2)                   \
  X(ttbr0_el2)                   \
  X(vttbr_el2)                   \
  X(vtcr_el2)                    \
  X(par_el1)                     \
  X(esr_el1)                     \
  X(far_el1)                     \
  X(elr_el1)                     \
  X(spsr_el1)                    \
  X(vbar_el1)                    \
  X(sctlr_el1)                   \
  X(cpacr_el1)                   \
  X(ttbr0_el1)                   \
  X(ttbr1_el1)                   \
  X(tcr_el1)                     \
  X(afsr0_el1)                   \
  X(afsr1_el1)                   \
  X(mair_el1)                    \
  X(amair_el1)                   \
  X(contextidr_el1)              \
  X(tpidr_el0)                   \
  X(tpidrro_el0)                 \
  X(tpidr_el1)                   \
  X(cntkctl_el1)                 \
  X(mdscr_el1)                   \
  X(csselr_el1)                  \
  X(sp_el0)                      \
  X(sp_el1)                      \
  X(vmpidr_el2)                  \
  X(id_aa64dfr0_el1)             \
  X(id_aa64isar0_el1)            \
  X(id_aa64isar1_el1)            \
  X(id_aa64mmfr1_el1)            \
  X(id_aa64mmfr2_el1)            \
  X(id_aa64mmfr0_el1)            \
  X(id_aa64pfr0_el1)             \
  X(id_aa64pfr1_el1)             \
  X(ctr_el0)                     \
  X(mpidr_el1)                   \
  X(cntvct_el0)                  \
  X(cntfrq_el0)

enum class Sysreg : std::uint8_t {
#define PKVM_DECLARE(name) name,
  PKVM_SYSTEM_REGISTERS(PKVM_DECLARE)
#undef PKVM_DECLARE
      count
};

/// x0..x17 of a call to firmware, in and out (SMCCC 1.2).
using SmcRegisters = std::array<std::uint64_t, 18>;

template <Sysreg Register>
std::uint64_t read();
template <Sysreg Register>
void write(std::uint64_t value);

/// Orders what was stored before the table walks and loads of every CPU (DSB ISH, DSB ISHST).
void dsb_ish();
void dsb_ishst();
void isb();

/// EL2 stage 1: one page, on every CPU; everything, on this CPU.
void tlbi_hyp_page(std::uint64_t va);
void tlbi_hyp_all();
/// Stage 1 and 2 of the VMID in force, on every CPU.
void tlbi_vmid_all();
/// Every VMID's stage 1 and 2, and the instruction cache behind them.
void tlbi_all_vmids();

/// Clean and invalidate to the point of coherency.
void flush_dcache(const void* begin, std::uint64_t size);

/// Where code reaches the page `pa` that was just mapped at `va`: there, but for native builds,
/// which have no translation.
std::uint64_t mapped_at(std::uint64_t va, std::uint64_t pa);

/// What was written may be fetched: every CPU forgets its instruction caches.
void forget_instructions();

void smc(SmcRegisters& registers);
/// The code that a CPU enters EL2 by when it comes back from a state without registers.
const void* cpu_resume_code();

/// PSTATE.A.
void mask_serror();
void unmask_serror();

/// HFGWTR_EL2, which a CPU without FEAT_FGT does not have.
void write_hfgwtr_el2(std::uint64_t value);

/// What EL1 would read at `va`, as PAR_EL1 reports it (AT S1E1R); PAR_EL1 itself is preserved.
std::uint64_t translate_el1_read(std::uint64_t va);

/// Enters EL1 with x0..x30 from `general` and what ELR_EL2 and SPSR_EL2 say, under the guest's
/// vectors; at its exit its registers are in `general` again. Which exit: GuestExit (pkvm/vm.h).
std::uint64_t enter_guest(unsigned long long* general);
/// What a CPU has besides its general and system registers, and no code of EL2 uses.
struct alignas(16) WorldRegisters {
  std::array<std::uint64_t, 64> vectors{};  ///< V0..V31
  std::uint64_t fpcr = 0;
  std::uint64_t fpsr = 0;
  std::array<std::uint64_t, 10> keys{};   ///< of pointer authentication: A and B of I, of D, and G
  std::array<std::uint64_t, 4> timers{};  ///< control and compare value: virtual, physical

  bool operator==(const WorldRegisters&) const = default;
};
void save_world(WorldRegisters& to);
void restore_world(const WorldRegisters& from);

/// EL2's vectors: those that end enter_guest, and those of the host.
void use_guest_vectors();
void use_host_vectors();

/// BRK with the immediate that BUG and WARN use (pkvm-abi.md 8.5): ends in hyp panic at EL2.
[[noreturn]] void bug();
/// BRK as a failed kCFI check raises it, `target` and `expected` in the registers it names.
[[noreturn]] void cfi_failure(std::uint64_t target, std::uint32_t expected);

}  // namespace pkvmemu::arch

#ifdef PKVM_FIRMWARE
#include "lib/arch_real.h"  // IWYU pragma: export
#else
#include "lib/arch_fake.h"  // IWYU pragma: export
#endif
