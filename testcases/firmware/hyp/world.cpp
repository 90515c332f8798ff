// SPDX-License-Identifier: GPL-2.0-only
#include "world.h"

#include "hyp/setup.h"
#include "hyp/static_calls.h"

namespace pkvmemu::hyp {

/// The real one changes page tables under its own feet; here the World has done its work.
void pkvm_init(user_pt_regs* regs) {
  regs->regs[1] = 0;
}

namespace test {

namespace {

constexpr std::uint64_t ram_size = ram_end - ram_begin;
constexpr unsigned parange_48_bits = 5;

}  // namespace

Vmemmap World::vmemmap() {
  const auto base =
      reinterpret_cast<std::uint64_t>(pages_.data()) - (frame(ram_begin) * sizeof(HypPage));
  return Vmemmap{reinterpret_cast<HypPage*>(base)};
}

World::World(pkvm::Generation generation, PaRange cma)
    : memory_(ram_size, 2 * mib),
      pages_(ram_size / page_size),
      regions_{{{.base = ram_begin.value, .size = 4 * mib, .flags = 0},
                {.base = no_map_begin.value, .size = mib, .flags = pkvm::HypMemoryRegion::nomap},
                {.base = no_map_begin.value + mib, .size = 3 * mib, .flags = 0}}} {
  arch::fake::reset();
  arch::write<arch::Sysreg::id_aa64mmfr0_el1>(parange_48_bits);
  hyp_per_cpu[0] = {};
  arch::write<arch::Sysreg::tpidr_el2>(reinterpret_cast<std::uint64_t>(hyp_per_cpu.data()));

  Hypervisor& hyp = hypervisor();
  std::destroy_at(&hyp);
  std::construct_at(&hyp);
  hyp.generation = generation;
  hyp.cpus = 1;
  hyp.linear = LinearMap{ram_begin.value - reinterpret_cast<std::uint64_t>(memory_.begin())};
  EarlyPages& early = hyp.early.emplace(hyp.linear, pool_begin, ram_end);
  hyp.space.emplace(
      Layout::make(48, Pa{0x4020'0000}, 1, address_rules(generation)),
      PageTable::Shape{.root = early.take_page().value(), .start_level = 0, .input_bits = 48},
      early, generation);
  hyp.stage2_shape = Stage2Shape::of_parange(parange_48_bits);
  hyp.stage2_root = early.take_page().value();
  PagePool& pool =
      hyp.pool.emplace(hyp.linear, vmemmap(),
                       PagePool::Extent{.begin = pool_begin, .free = early.next(), .end = ram_end});
  hyp.space->table().use_pages(pool);
  HostStage2& host =
      hyp.host.emplace(MemoryMap{regions_}, hyp.stage2_shape, hyp.stage2_root, pool, generation);
  Ownership& owners = hyp.ownership.emplace(host, *hyp.space, vmemmap(), generation);
  if (hyp.space->layout().heap != HypVa{0}) {
    hyp.heap.emplace(*hyp.space, owners, generation);
    hyp.iommu_pools.emplace(*hyp.space, owners, vmemmap(), cma, generation);
    host.mirror_to(hyp.iommu);
  } else {
    host.mirror_to(hyp.iommu_devices);
  }
  const PaRange pool_range{pool_begin, ram_end};
  check(hyp.space->map_linear(pool_range, prot_rw, PageState::owned).has_value());
  check(host.map_all_memory().has_value());
  check(owners.claim_for_hyp(pool_range).has_value());
  hyp.dispatcher = Dispatcher{pkvm::info(generation), static_calls(generation)};
}

World::~World() = default;

}  // namespace test

}  // namespace pkvmemu::hyp
