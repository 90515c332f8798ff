// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ops.h"

#include "hyp/hypervisor.h"
#include "hyp/ops_log.h"
#include "hyp/refusals.h"
#include "lib/address_cast.h"
#include "pkvm/event.h"
#include "pkvm/ops.h"
#include "support/bits.h"

namespace pkvmemu::hyp::ops {

using arch::Sysreg;

int create_private_mapping(Pa pa, std::uint64_t size, Prot prot, unsigned long* where) {
  const Expected<HypVa> va = hypervisor().space->create_private_mapping(pa, size, prot);
  if (!va) return pkvm::negated(va.error());
  *where = va->value;
  return 0;
}

void* alloc_module_va(std::uint64_t pages) {
  Hypervisor& hyp = hypervisor();
  const Expected<HypVa> va = hyp.modules.alloc_module_va(*hyp.space, pages);
  return fw::object_at<void>(va ? *va : HypVa{0});
}

int map_module_page(std::uint64_t pfn, HypVa va, Prot prot) {
  Hypervisor& hyp = hypervisor();
  return page_answer("map_module_page", pa_of(Pfn{pfn}),
                     ModuleSlots::map_module_page(*hyp.space, *hyp.ownership, pfn, va, prot));
}

int map_protected_page(std::uint64_t pfn, HypVa va, Prot prot) {
  return page_answer("map_module_page", pa_of(Pfn{pfn}),
                     hypervisor().space->map_at(va, pa_of(Pfn{pfn}), page_size, prot));
}

int register_serial_driver(HypVa callback) {
  Hypervisor& hyp = hypervisor();
  const CfiFlavour flavour = hyp.modules.flavour_of(callback);
  return registration("register_serial_driver", callback,
                      hyp.serial.install(callback, putc_cfi_type.hash(flavour)));
}

void* fixmap_map(Pa pa) {
  return fw::object_at<void>(hypervisor().space->fixmap_map(this_cpu().index, pa));
}

void fixmap_unmap() {
  hypervisor().space->fixmap_unmap(this_cpu().index);
}

int host_donate_hyp(std::uint64_t pfn, std::uint64_t pages, Accept accept, Prot prot) {
  return page_answer("host_donate_hyp", pa_of(Pfn{pfn}),
                     hypervisor().ownership->host_donate_hyp(pfn, pages, accept, prot));
}

int host_donate_hyp(std::uint64_t pfn, std::uint64_t pages) {
  const bool takes_mmio = ownership_rules(hypervisor().generation).donation_takes_mmio;
  return host_donate_hyp(pfn, pages, takes_mmio ? Accept::memory_or_mmio : Accept::memory_only,
                         prot_rw);
}

int hyp_donate_host(std::uint64_t pfn, std::uint64_t pages) {
  return to_int(hypervisor().ownership->hyp_donate_host(pfn, pages));
}

int host_share_hyp(std::uint64_t pfn) {
  return page_answer("host_share_hyp", pa_of(Pfn{pfn}),
                     hypervisor().ownership->host_share_hyp(pfn));
}

int host_unshare_hyp(std::uint64_t pfn) {
  return to_int(hypervisor().ownership->host_unshare_hyp(pfn));
}

int pin_shared_mem(HypVa from, HypVa to) {
  Hypervisor& hyp = hypervisor();
  return page_answer("pin_shared_mem", hyp.linear.hyp_pa(from),
                     hyp.ownership->pin_shared(from, to));
}

void unpin_shared_mem(HypVa from, HypVa to) {
  if (const auto page = hypervisor().ownership->unpin_shared(from, to)) [[unlikely]]
    wrong_page("unpin_shared_mem", *page);
}

/// From 6.6 on an address outside the kernel's half (TTBR1) comes back as it is.
std::uint64_t kern_hyp_va(std::uint64_t kernel_va) {
  if (!address_rules(hypervisor().generation).converts_any_va && !test_bit(kernel_va, 55))
    return kernel_va;
  return (kernel_va & hyp_boot_info.kern_va_mask) | hyp_boot_info.kern_va_tag;
}

void udelay(std::uint64_t microseconds) {
  constexpr std::uint64_t per_second = 1'000'000;
  const std::uint64_t ticks =
      (microseconds * arch::read<Sysreg::cntfrq_el0>() + per_second - 1) / per_second;
  const std::uint64_t start = arch::read<Sysreg::cntvct_el0>();
  while (arch::read<Sysreg::cntvct_el0>() - start < ticks) {
  }
}

void report_missing(std::string_view name, std::uint64_t caller) {
  Hypervisor& hyp = hypervisor();
  std::uint64_t slot = 0;
  for (const pkvm::OpRow& row : pkvm::op_rows)
    if (row.name == name && row.slot_in(hyp.generation) >= 0)
      slot = static_cast<std::uint64_t>(row.slot_in(hyp.generation));
  // Through a stub the return address is the stub's.
  hyp.events.emit(pkvm::event::Kind::op_missing, {slot, logs_ops() ? logged_caller() : caller},
                  name);
}

}  // namespace pkvmemu::hyp::ops
