// SPDX-License-Identifier: GPL-2.0-only
// System registers that a protected guest does not reach itself: it is shown a CPU with what the
// hypervisor supports for it, and the rest does not exist.
#pragma once

#include "hyp/vm/vm.h"

namespace pkvmemu::hyp {

/// A trapped MSR or MRS (ESR_EL2.EC 0x18): emulated and skipped, or undefined for the guest.
void emulate_system_register(Vcpu& vcpu, std::uint64_t esr);

}  // namespace pkvmemu::hyp
