// SPDX-License-Identifier: GPL-2.0-only
// The way of a CPU through EL2 into the host, behind init.S (pkvm-abi.md 8.3).
#include "hyp/abi_types.h"
#include "hyp/hypervisor.h"
#include "hyp/ops_handlers.h"
#include "hyp/per_cpu.h"

extern "C" [[noreturn]] void hyp_enter_host(user_pt_regs* context);

/// A CPU is back and EL2 is as it was: modules hear of it, and the host goes on at its entry point,
/// with its MMU off.
extern "C" [[noreturn]] void hyp_cpu_entry() {
  using namespace pkvmemu::hyp;  // NOLINT(google-build-using-namespace): the C entry point
  using pkvmemu::arch::Sysreg;
  constexpr std::uint64_t sctlr_el1_off = 0x30D0'0800;  // RES1 bits, MMU and caches off
  constexpr std::uint64_t spsr_el1h_masked = 0x3C5;
  PerCpu& cpu = this_cpu();
  ops::restore_hfgwtr_el2();
  cpu.host.regs[0] = cpu.resume.context;
  pkvmemu::arch::write<Sysreg::sctlr_el1>(sctlr_el1_off);
  pkvmemu::arch::write<Sysreg::elr_el2>(cpu.resume.pc);
  pkvmemu::arch::write<Sysreg::spsr_el2>(spsr_el1h_masked);
  hypervisor().handlers.psci.notify(PKVM_PSCI_CPU_ENTRY, &cpu.host);
  hyp_enter_host(&cpu.host);
}
