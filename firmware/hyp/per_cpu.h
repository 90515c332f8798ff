// SPDX-License-Identifier: GPL-2.0-only
// What each CPU has for itself at EL2; TPIDR_EL2 points to it from __kvm_hyp_init on. The host's
// registers come first, where the vectors save them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/asm_offsets.h"
#include "hyp/layout.h"
#include "lib/address_cast.h"
#include "lib/arch.h"
#include "pkvm/hyp_image.h"

namespace pkvmemu::hyp {

/// PSCI's entry point address and context id.
struct EntryPoint {
  std::uint64_t pc;
  std::uint64_t context;
};

struct alignas(64) PerCpu {
  user_pt_regs host;
  /// Copied by __kvm_hyp_init; hcr_el2, vttbr and vtcr change at prot_finalize (pkvm-abi.md 6.4).
  pkvm::HypInitParams params;
  unsigned index;
  /// Where the host goes on when this CPU comes back through EL2.
  EntryPoint resume;
};
static_assert(offsetof(PerCpu, host) == PER_CPU_HOST);
static_assert(offsetof(PerCpu, params) == PER_CPU_PARAMS);
static_assert(sizeof(PerCpu) == PER_CPU_SIZE);
static_assert(offsetof(pkvm::HypInitParams, tpidr_el2) == PARAMS_TPIDR &&
              offsetof(pkvm::HypInitParams, stack_hyp_va) == PARAMS_STACK &&
              offsetof(pkvm::HypInitParams, pgd_pa) == PARAMS_PGD &&
              offsetof(pkvm::HypInitParams, hcr_el2) == PARAMS_HCR &&
              offsetof(pkvm::HypInitParams, vttbr) == PARAMS_VTTBR &&
              offsetof(pkvm::HypInitParams, vtcr) == PARAMS_VTCR &&
              sizeof(pkvm::HypInitParams) == PARAMS_SIZE);
static_assert(offsetof(pkvm::HypBootInfo, physvirt_offset) == BOOT_INFO_PHYSVIRT);

inline PerCpu& this_cpu() {
  return *fw::object_at<PerCpu>(HypVa{arch::read<arch::Sysreg::tpidr_el2>()});
}

}  // namespace pkvmemu::hyp
