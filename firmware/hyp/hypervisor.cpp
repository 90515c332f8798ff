// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/hypervisor.h"

#include "hyp/setup.h"
#include "hyp/static_calls.h"

namespace pkvmemu::hyp {

namespace {

constexpr std::array<StaticCall, 3> calls_before_init = {nullptr, get_mdcr_el2, pkvm_init};

}  // namespace

// __pkvm_init puts the generation's own table in place; until then there are just the two calls
// that have these numbers everywhere.
constinit Hypervisor the_hypervisor{
    Dispatcher{pkvm::info(pkvm::Generation::android15_6_6), calls_before_init}};

}  // namespace pkvmemu::hyp

constinit pkvm::HypBootInfo hyp_boot_info{};
constinit std::array<pkvmemu::hyp::PerCpu, pkvmemu::hyp::max_cpus> hyp_per_cpu{};
