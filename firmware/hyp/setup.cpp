// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/setup.h"

#include "hyp/static_calls.h"
#include "lib/address_cast.h"
#include "lib/fault.h"
#include "pkvm/event.h"
#include "support/bits.h"

// Set by the linker script; only their addresses mean something.
// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier)
extern "C" {
extern const char __image_start[], __image_end[], __text_begin[], __text_end[], __rodata_end[],
    __data_begin[], __data_end[], __idmap_begin[], __idmap_end[];
void hyp_switch_tables(std::uint64_t root_pa, std::uint64_t stack_top, void (*next)());
[[noreturn]] void hyp_enter_host(user_pt_regs* context);
}
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier)

namespace pkvmemu::hyp {

namespace {

/// A linker symbol pair as a range of physical addresses.
PaRange image_range(const LinearMap& linear, const char* begin, const char* end) {
  return {linear.pa_of_pointer(begin), linear.pa_of_pointer(end)};
}

PaRange pvmfw_range() {
  const Pa base{hyp_boot_info.pvmfw_base};
  return {base, base + hyp_boot_info.pvmfw_size};
}

PaRange cma_range() {
  const Pa base{hyp_boot_info.cma_base};
  return {base, base + hyp_boot_info.cma_size};
}

PaRange event_ring_range() {
  if (hyp_boot_info.event_doorbell == 0) return {Pa{0}, Pa{0}};
  const Pa base{hyp_boot_info.event_ring};
  return {base, base + hyp_boot_info.event_ring_size};
}

Status check_arguments(const InitArguments& arguments) {
  const bool aligned = is_aligned(arguments.pool.begin.value, page_size) &&
                       is_aligned(arguments.pool.end.value, page_size);
  if (!aligned || arguments.pool.begin > arguments.pool.end) return error(Errno::einval);
  if (arguments.cpus == 0 || arguments.cpus > max_cpus) return error(Errno::einval);
  if (arguments.va_bits < 39 || arguments.va_bits > 48) return error(Errno::einval);
  if (hyp_boot_info.version != pkvm::HypBootInfo::current_version ||
      hyp_boot_info.generation >= pkvm::generation_count ||
      hyp_boot_info.region_count > pkvm::max_memory_regions ||
      hyp_boot_info.device_count > pkvm::max_assignable_devices)
    return error(Errno::einval);
  if (hypervisor().space) return error(Errno::eperm);
  return {};
}

/// Each step until one fails.
template <typename... Steps>
Status in_order(Steps... steps) {
  Status status;
  static_cast<void>(((status = steps(), status.has_value()) && ...));
  return status;
}

Status map_image(HypSpace& space) {
  const LinearMap& linear = space.linear();
  const PaRange idmap = image_range(linear, __idmap_begin, __idmap_end);
  const auto map = [&](const char* begin, const char* end, Prot prot) {
    return space.map_linear(image_range(linear, begin, end), prot, PageState::owned);
  };
  return in_order(
      [&] { return map(__text_begin, __text_end, prot_rx); },
      [&] { return map(__image_start, __rodata_end, prot_ro); },
      [&] { return map(__data_begin, __data_end, prot_rw); },
      [&] { return space.map_at(HypVa{idmap.begin.value}, idmap.begin, idmap.size(), prot_rx); });
}

/// Backs the vmemmap where it describes RAM. Neighbouring regions may share a page of it.
Status map_vmemmap(HypSpace& space, EarlyPages& early) {
  HypVa done_until = space.layout().vmemmap;
  for (std::uint64_t i = 0; i < hyp_boot_info.region_count; ++i) {
    const pkvm::HypMemoryRegion& region = hyp_boot_info.regions[i];
    const std::uint64_t first = (region.base / page_size) * sizeof(HypPage);
    const std::uint64_t last = ((region.base + region.size) / page_size) * sizeof(HypPage);
    const HypVa begin = space.layout().vmemmap + align_down(first, page_size);
    const HypVa end = space.layout().vmemmap + align_up(last, page_size);
    for (HypVa va = begin > done_until ? begin : done_until; va < end; va = va + page_size) {
      const Expected<Pa> page = early.take_page();
      if (!page) return error(page.error());
      const Status mapped = space.map_at(va, *page, page_size, prot_rw);
      if (!mapped) return mapped;
    }
    if (end > done_until) done_until = end;
  }
  return {};
}

Status map_stacks(HypSpace& space, EarlyPages& early, unsigned cpus) {
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const Expected<Pa> page = early.take_page();
    if (!page) return error(page.error());
    const Status mapped = space.map_at(space.layout().stack_page(cpu), *page, page_size, prot_rw);
    if (!mapped) return mapped;
  }
  return {};
}

Status map_events(HypSpace& space) {
  if (hyp_boot_info.event_doorbell == 0) return {};
  const PaRange ring = event_ring_range();
  const HypVa at = space.layout().events;
  return in_order([&] { return space.map_at(at, ring.begin, ring.size(), prot_rw); },
                  [&] {
                    return space.map_at(at + ring.size(), Pa{hyp_boot_info.event_doorbell},
                                        page_size, prot_device);
                  });
}

/// The pVM firmware is the hypervisor's from the start, and only to be read.
Status map_pvmfw(HypSpace& space) {
  return space.map_linear(pvmfw_range(), prot_ro, PageState::owned);
}

Status build_tables(Hypervisor& hyp, const InitArguments& arguments) {
  hyp.generation = static_cast<pkvm::Generation>(hyp_boot_info.generation);
  hyp.cpus = static_cast<unsigned>(arguments.cpus);
  hyp.linear = LinearMap{hyp_boot_info.physvirt_offset};
  EarlyPages& early = hyp.early.emplace(hyp.linear, arguments.pool.begin, arguments.pool.end);
  const Expected<Pa> root = early.take_page();
  if (!root) return error(root.error());
  const Layout layout = Layout::make(static_cast<unsigned>(arguments.va_bits),
                                     hyp.linear.pa_of_pointer(__idmap_begin), hyp.cpus,
                                     address_rules(hyp.generation));
  const unsigned start_level = arguments.va_bits > 39 ? 0 : 1;
  HypSpace& space =
      hyp.space.emplace(layout,
                        PageTable::Shape{.root = *root,
                                         .start_level = start_level,
                                         .input_bits = static_cast<unsigned>(arguments.va_bits)},
                        early, hyp.generation);
  return in_order([&] { return map_image(space); },
                  [&] { return space.map_linear(arguments.pool, prot_rw, PageState::owned); },
                  [&] { return map_vmemmap(space, early); },
                  [&] { return map_stacks(space, early, hyp.cpus); },
                  [&] { return map_events(space); }, [&] { return map_pvmfw(space); });
}

unsigned parange() {
  return static_cast<unsigned>(bits(arch::read<arch::Sysreg::id_aa64mmfr0_el1>(), 3, 0));
}

Status take_stage2_root(Hypervisor& hyp) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.host.root", Errno::enomem, "the root of the host's stage 2"))
    return injected(fault);
  hyp.stage2_shape = Stage2Shape::of_parange(parange());
  const std::uint64_t pages = hyp.stage2_shape.root_pages;
  const Expected<Pa> root = hyp.early->take(pages, pages * page_size);
  if (!root) return error(root.error());
  hyp.stage2_root = *root;
  return {};
}

void attach_events(Hypervisor& hyp) {
  if (hyp_boot_info.event_doorbell == 0) return;
  const HypVa at = hyp.space->layout().events;
  const HypVa doorbell = at + hyp_boot_info.event_ring_size + pkvm::event::doorbell_offset;
  hyp.events = fw::EventRing::attach(fw::object_at<void>(at), hyp_boot_info.event_ring_size,
                                     fw::object_at<volatile std::uint32_t>(doorbell),
                                     pkvm::event::doorbell_hyp);
}

/// On the own tables, where the vmemmap can be reached.
Status finish(Hypervisor& hyp, PaRange pool_range) {
  HypSpace& space = *hyp.space;
  const Vmemmap vmemmap{fw::object_at<HypPage>(space.layout().vmemmap)};
  PagePool& pool = hyp.pool.emplace(
      hyp.linear, vmemmap,
      PagePool::Extent{
          .begin = pool_range.begin, .free = hyp.early->next(), .end = pool_range.end});
  space.table().use_pages(pool);
  const MemoryMap memory{std::span(hyp_boot_info.regions, hyp_boot_info.region_count)};
  HostStage2& host =
      hyp.host.emplace(memory, hyp.stage2_shape, hyp.stage2_root, pool, hyp.generation);
  Ownership& ownership = hyp.ownership.emplace(host, space, vmemmap, hyp.generation);
  if (space.layout().heap != HypVa{0}) {
    hyp.heap.emplace(space, ownership, hyp.generation);
    hyp.iommu_pools.emplace(space, ownership, vmemmap, cma_range(), hyp.generation);
    host.mirror_to(hyp.iommu);
  } else {
    host.mirror_to(hyp.iommu_devices);
  }
  const PaRange image = image_range(hyp.linear, __image_start, __image_end);
  return in_order([&] { return host.map_all_memory(); },
                  [&] { return ownership.claim_for_hyp(image); },
                  [&] { return ownership.claim_for_hyp(pool_range); },
                  [&] { return ownership.claim_for_hyp(event_ring_range()); },
                  [&] { return ownership.claim_for_hyp(pvmfw_range()); });
}

/// Where hyp_switch_tables goes on, on CPU 0's own stack.
void after_switch() {
  Hypervisor& hyp = hypervisor();
  PerCpu& cpu = this_cpu();
  const PaRange pool{Pa{cpu.host.regs[1]}, Pa{cpu.host.regs[1] + cpu.host.regs[2]}};
  const Status done = finish(hyp, pool);
  if (done) {
    attach_events(hyp);
    hyp.events.emit(pkvm::event::Kind::hyp_ready,
                    {hyp_boot_info.generation, hyp.space->layout().first_free.value});
  }
  cpu.host.regs[1] = static_cast<u64>(to_int(done));
  hyp_enter_host(&cpu.host);
}

}  // namespace

void pkvm_init(user_pt_regs* regs) {
  const Pa phys{regs->regs[1]};
  const InitArguments arguments{
      .pool = {phys, phys + regs->regs[2]}, .cpus = regs->regs[3], .va_bits = regs->regs[5]};
  Hypervisor& hyp = hypervisor();
  const Status built =
      in_order([&] { return check_arguments(arguments); },
               [&] { return build_tables(hyp, arguments); }, [&] { return take_stage2_root(hyp); });
  if (!built) {
    if (built.error() != Errno::eperm) hyp.space.reset();
    regs->regs[1] = static_cast<u64>(to_int(built));
    return;
  }
  hyp.dispatcher = Dispatcher{pkvm::info(hyp.generation), static_calls(hyp.generation)};
  // Called where it lies physically: it switches the MMU off.
  const Pa code = hyp.linear.pa_of_pointer(reinterpret_cast<const void*>(&hyp_switch_tables));
  auto* const go = fw::function_at<decltype(hyp_switch_tables)>(HypVa{code.value});
  pkvm::HypInitParams& params = this_cpu().params;
  params.pgd_pa = hyp.space->table().shape().root.value;
  params.stack_hyp_va = hyp.space->layout().stack_top(this_cpu().index).value;
  arch::flush_dcache(&params, sizeof(params));
  go(params.pgd_pa, params.stack_hyp_va, after_switch);
}

}  // namespace pkvmemu::hyp
