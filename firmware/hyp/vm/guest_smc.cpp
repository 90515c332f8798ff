// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/guest_smc.h"

#include <algorithm>
#include <array>

#include "hyp/hypervisor.h"
#include "hyp/vm/regime.h"
#include "pkvm/smccc.h"

namespace pkvmemu::hyp {

namespace {

/// struct arm_smccc_1_2_regs: x0 to x17.
using SmcWords = std::array<std::uint64_t, 18>;

arm_smccc_1_2_regs* as_module_type(SmcWords& words) {
  return reinterpret_cast<arm_smccc_1_2_regs*>(words.data());
}

/// From PSCI's first number to the last of CCA's, in both widths.
bool is_standard_service(std::uint64_t id) {
  constexpr std::uint64_t first = 0x8400'0000;
  constexpr std::uint64_t last = 0x8400'01CF;
  constexpr std::uint64_t wide = 0x4000'0000;
  const std::uint64_t narrow = id & 0xFFFF'FFFF & ~wide;
  return narrow >= first && narrow <= last;
}

/// The first handler that takes the call has written its results.
bool offer(const Vcpu& vcpu, SmcWords& results) {
  SmcWords arguments{};
  std::copy_n(vcpu.context.general.regs, arguments.size(), arguments.begin());
  const HostRegime host;  // a module may change the host's stage 2
  return hypervisor().handlers.guest_smc.first_true(
      as_module_type(arguments), as_module_type(results), pkvm_handle_t{vcpu.vm->handle});
}

}  // namespace

Handled handle_guest_smc(Vcpu& vcpu) {
  user_pt_regs& general = vcpu.context.general;
  const bool offered = vcpu.vm->smc_forwarded && !is_standard_service(general.regs[0]);
  SmcWords results{};
  const bool handled = offered && offer(vcpu, results);
  // A trapped SMC is reported with the PC at it.
  general.pc += 4;
  if (handled) {
    std::ranges::copy(results, general.regs);
    return Handled::resume;
  }
  general.regs[0] = static_cast<u64>(pkvm::smccc::not_supported);
  return Handled::exit;
}

}  // namespace pkvmemu::hyp
