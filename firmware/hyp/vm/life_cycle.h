// SPDX-License-Identifier: GPL-2.0-only
// From __pkvm_init_vm to __pkvm_finalize_teardown_vm (pkvm-abi.md 9.3). Errors stand in the order
// in which the specification has the checks; a refused call has changed nothing.
#pragma once

#include "hyp/vm/vm.h"

namespace pkvmemu::hyp {

/// Where the hypervisor's own view of a VM or vCPU goes: memory that the host donates with the call
/// (6.1), or the hypervisor's heap.
struct Storage {
  void* memory;
  PaRange donated;  ///< empty for the heap's
};

struct VmRequest {
  HypVa host_vm;
  HypVa root;
  HypVa storage;   ///< 6.1 only
  HypVa last_ran;  ///< 6.1 only
};
/// The handle.
Expected<std::uint32_t> init_vm(const VmRequest& request);

struct VcpuRequest {
  std::uint64_t handle;
  HypVa host_vcpu;
  HypVa storage;  ///< 6.1 only
};
Status init_vcpu(const VcpuRequest& request);

Status start_teardown_vm(std::uint64_t handle);
/// 2^order pages of a dying guest.
Status reclaim_dying_guest_page(std::uint64_t handle, std::uint64_t pfn, std::uint64_t gfn,
                                std::uint64_t order = 0);
Status finalize_teardown_vm(std::uint64_t handle);

void load_vcpu(std::uint64_t handle, std::uint64_t index, std::uint64_t host_hcr);
void put_vcpu();
/// What this CPU has loaded, or null.
Vcpu* loaded_vcpu();

}  // namespace pkvmemu::hyp
