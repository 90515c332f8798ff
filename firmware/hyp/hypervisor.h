// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor: one instance, made of the parts that the other headers describe. __pkvm_init
// fills it in (setup.h); hypercalls, ops and traps find it here.
#pragma once

#include <array>

#include "hyp/assignable_devices.h"
#include "hyp/dispatch.h"
#include "hyp/ffa.h"
#include "hyp/handlers.h"
#include "hyp/host_abort.h"
#include "hyp/host_stage2.h"
#include "hyp/hyp_events.h"
#include "hyp/hyp_heap.h"
#include "hyp/hyp_space.h"
#include "hyp/iommu.h"
#include "hyp/iommu_devices.h"
#include "hyp/iommu_domains.h"
#include "hyp/iommu_pools.h"
#include "hyp/module_slots.h"
#include "hyp/ownership.h"
#include "hyp/per_cpu.h"
#include "hyp/pool.h"
#include "hyp/power_domains.h"
#include "hyp/serial.h"
#include "hyp/trace_ring.h"
#include "hyp/vm/vm.h"
#include "lib/event_ring.h"
#include "lib/late.h"
#include "pkvm/generation.h"
#include "pkvm/hyp_image.h"

namespace pkvmemu::hyp {

struct Hypervisor {
  constexpr Hypervisor() = default;
  constexpr explicit Hypervisor(const Dispatcher& before_init) : dispatcher(before_init) {}

  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  unsigned cpus = 0;
  LinearMap linear;

  fw::Late<EarlyPages> early;
  fw::Late<PagePool> pool;
  fw::Late<HypSpace> space;
  fw::Late<HostStage2> host;
  fw::Late<Ownership> ownership;
  fw::Late<HypHeap> heap;            ///< from 6.6 on
  fw::Late<IommuPools> iommu_pools;  ///< likewise
  Stage2Shape stage2_shape;
  Pa stage2_root{0};

  ModuleSlots modules;
  Dispatcher dispatcher;
  Serial serial;
  ModuleHandlers handlers;
  Iommu iommu;
  IommuDomains iommu_domains;
  IommuDevices iommu_devices;  ///< of 6.1, which has neither of those
  PowerDomains power_domains;
  AssignableDevices devices;
  VmTable vms;
  HypEvents trace_events;
  TraceRing trace;
  FfaProxy ffa;
  AbortCallbacks aborts;
  fw::EventRing events;
};

// NOLINTBEGIN(bugprone-dynamic-static-initializers): they are constinit where they are defined.
/// The only one. Its address is a constant of the image, which the way of each HVC counts on.
extern constinit Hypervisor the_hypervisor;
inline Hypervisor& hypervisor() {
  return the_hypervisor;
}

}  // namespace pkvmemu::hyp

/// Written by the host before __kvm_hyp_init (pkvm/hyp_image.h).
extern "C" pkvm::HypBootInfo hyp_boot_info;
/// TPIDR_EL2 of each CPU points into it.
extern "C" std::array<pkvmemu::hyp::PerCpu, pkvmemu::hyp::max_cpus> hyp_per_cpu;
// NOLINTEND(bugprone-dynamic-static-initializers)
