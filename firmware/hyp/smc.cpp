// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/smc.h"

#include <array>

#include "hyp/hypervisor.h"
#include "hyp/per_cpu.h"
#include "pkvm/smccc.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

constexpr std::int64_t psci_already_on = -4;

/// x0..x3 of a PSCI call, and the registers that they came in.
struct PsciCall {
  std::array<std::uint64_t, 4> x;
  user_pt_regs* host;
};
using PsciHandler = std::int64_t (*)(const PsciCall&);

/// SErrors that EL2 takes stay masked while EL3 works.
void smc_for_host(arch::SmcRegisters& registers) {
  const SErrorHandlers& serror = hypervisor().handlers.serror;
  if (serror.installed()) serror.mask();
  arch::smc(registers);
  if (serror.installed()) serror.unmask();
}

std::int64_t forward(const PsciCall& call) {
  arch::SmcRegisters registers{};
  for (std::size_t i = 0; i < call.x.size(); ++i)
    registers[i] = call.x[i];
  smc_for_host(registers);
  return static_cast<std::int64_t>(registers[0]);
}

/// Modules hear of it first. A CPU that loses its registers is to come back through EL2, which then
/// goes where the host wanted to.
template <pkvm_psci_notification Notification, std::size_t Entry>
std::int64_t suspend(const PsciCall& call) {
  hypervisor().handlers.psci.notify(Notification, call.host);
  PerCpu& cpu = this_cpu();
  cpu.resume = {.pc = call.x[Entry], .context = call.x[Entry + 1]};
  PsciCall relayed = call;
  const LinearMap& linear = hypervisor().linear;
  relayed.x[Entry] = linear.pa_of_pointer(arch::cpu_resume_code()).value;
  relayed.x[Entry + 1] = linear.pa_of_pointer(&cpu.params).value;
  return forward(relayed);
}

/// One CPU, and it is on.
std::int64_t cpu_on(const PsciCall& call) {
  constexpr std::uint64_t affinity = 0xFF'00FF'FFFF;
  const bool ours = call.x[1] == (arch::read<Sysreg::mpidr_el1>() & affinity);
  return ours ? psci_already_on : pkvm::psci::invalid_parameters;
}

struct Row {
  std::uint32_t id;
  PsciHandler handler;
};

// 32-bit forms of calls that have a 64-bit form are not here: they are refused, like any other
// number in PSCI's range.
constexpr auto rows = std::to_array<Row>({
    {pkvm::psci::version, forward},
    {pkvm::psci::cpu_suspend64, suspend<PKVM_PSCI_CPU_SUSPEND, 2>},
    {pkvm::psci::system_suspend64, suspend<PKVM_PSCI_SYSTEM_SUSPEND, 1>},
    {pkvm::psci::cpu_off, forward},
    {pkvm::psci::cpu_on64, cpu_on},
    {pkvm::psci::affinity_info64, forward},
    {0xC400'0005, forward},  // MIGRATE64
    {pkvm::psci::migrate_info_type, forward},
    {0xC400'0007, forward},  // MIGRATE_INFO_UP_CPU64
    {pkvm::psci::system_off, forward},
    {pkvm::psci::system_reset, forward},
    {pkvm::psci::features, forward},
    {0x8400'000F, forward},  // SET_SUSPEND_MODE
    {pkvm::psci::system_reset2, forward},
});

std::int64_t handle_psci(std::uint64_t id, const PsciCall& call) {
  for (const Row& row : rows)
    if (row.id == id) return row.handler(call);
  return pkvm::psci::not_supported;
}

}  // namespace

void forward_to_el3(user_pt_regs* regs) {
  arch::SmcRegisters registers{};
  for (std::size_t i = 0; i < registers.size(); ++i)
    registers[i] = regs->regs[i];
  smc_for_host(registers);
  for (std::size_t i = 0; i < registers.size(); ++i)
    regs->regs[i] = registers[i];
}

void handle_smc(user_pt_regs* regs, std::uint64_t /*esr*/) {
  const bool strips = pkvm::info(hypervisor().generation).strips_sve_hint;
  const auto id = static_cast<std::uint32_t>(regs->regs[0] & ~(strips ? pkvm::smccc::sve_hint : 0));
  if (pkvm::psci::in_range(id)) {
    const PsciCall call{{id, regs->regs[1], regs->regs[2], regs->regs[3]}, regs};
    regs->regs[0] = static_cast<u64>(handle_psci(id, call));
    regs->regs[1] = regs->regs[2] = regs->regs[3] = 0;
  } else if (!hypervisor().ffa.take(*regs, id) &&
             !hypervisor().handlers.host_smc.first_true(regs)) {
    forward_to_el3(regs);
  }
  // A trapped SMC is reported with the PC at it.
  arch::write<Sysreg::elr_el2>(arch::read<Sysreg::elr_el2>() + 4);
}

}  // namespace pkvmemu::hyp
