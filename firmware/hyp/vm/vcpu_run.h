// SPDX-License-Identifier: GPL-2.0-only
// Running a guest (pkvm-abi.md 9): the world switch, what of an exit the hypervisor answers itself,
// and what it tells the host of the others.
#pragma once

#include "hyp/vm/vm.h"

namespace pkvmemu::hyp {

/// Runs until an exit that the host has to handle.
pkvm::GuestExit run_vcpu(Vcpu& vcpu);

/// After a panic inside a guest's run: EL1 is the host's again. The vCPU that ran, or null.
const Vcpu* restore_host_for_panic();

}  // namespace pkvmemu::hyp
