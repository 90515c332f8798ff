// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/deprivilege.h"

#include "hyp/hypervisor.h"
#include "lib/fault.h"
#include "pkvm/event.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

constexpr std::uint64_t hcr_vm = bit(0);

}  // namespace

Status deprivilege_host() {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.finalize", Errno::eperm, "__pkvm_prot_finalize"))
    return injected(fault);
  Hypervisor& hyp = hypervisor();
  pkvm::HypInitParams& params = this_cpu().params;
  if ((params.hcr_el2 & hcr_vm) != 0) return error(Errno::eperm);

  // pkvm-abi.md 1.6: what linear_map_early mapped has to be gone.
  check(hyp.space->early_bytes() == 0);
  params.vttbr = hyp.host->vttbr();
  params.vtcr =
      hyp.host->vtcr(static_cast<unsigned>(bits(arch::read<Sysreg::id_aa64mmfr0_el1>(), 3, 0)));
  params.hcr_el2 |= hcr_vm;
  arch::flush_dcache(&params, sizeof(params));

  arch::write<Sysreg::vtcr_el2>(params.vtcr);
  arch::write<Sysreg::vttbr_el2>(params.vttbr);
  arch::write<Sysreg::hcr_el2>(params.hcr_el2);
  arch::isb();
  arch::tlbi_vmid_all();
  arch::dsb_ish();
  arch::isb();

  hyp.dispatcher.close_early_calls();
  hyp.events.emit(pkvm::event::Kind::deprivileged, {this_cpu().index});
  return {};
}

}  // namespace pkvmemu::hyp
