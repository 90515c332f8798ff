// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ops_memory.h"

#include "hyp/hypervisor.h"
#include "hyp/refusals.h"
#include "lib/address_cast.h"
#include "lib/fault.h"

namespace pkvmemu::hyp::ops {

namespace {

template <typename Level>
int get_leaf(Pa pa, unsigned long long* where, Level* level) {
  const Expected<Leaf> leaf = hypervisor().ownership->host_leaf(pa);
  if (!leaf) return pkvm::negated(leaf.error());
  *where = leaf->descriptor.value;
  *level = static_cast<Level>(leaf->level);
  return 0;
}

AbortCallback callback_of(HypVa function, const CfiType& type) {
  return {.function = function, .hash = type.hash(hypervisor().modules.flavour_of(function))};
}

}  // namespace

void* linear_map_early(Pa pa, std::uint64_t size, Prot prot) {
  return fw::object_at<void>(hypervisor().space->map_early(pa, size, prot).value_or(HypVa{0}));
}

void linear_unmap_early(HypVa va, std::uint64_t size) {
  hypervisor().space->unmap_early(va, size);
}

void* fixblock_map(Pa pa) {
  return fw::object_at<void>(hypervisor().space->fixblock_map(pa));
}

void fixblock_unmap() {
  hypervisor().space->fixblock_unmap();
}

int host_stage2_mod_prot(std::uint64_t pfn, Prot prot, std::uint64_t pages, UpdateIommu update) {
  return page_answer("host_stage2_mod_prot", pa_of(Pfn{pfn}),
                     hypervisor().ownership->host_mod_prot(pfn, prot, pages, update));
}

int host_stage2_enable_lazy_pte(std::uint64_t pfn, std::uint64_t pages) {
  return page_answer("host_stage2_enable_lazy_pte", pa_of(Pfn{pfn}),
                     hypervisor().ownership->host_enable_lazy(pfn, pages));
}

int host_stage2_disable_lazy_pte(std::uint64_t pfn, std::uint64_t pages) {
  return page_answer("host_stage2_disable_lazy_pte", pa_of(Pfn{pfn}),
                     hypervisor().ownership->host_disable_lazy(pfn, pages));
}

int host_stage2_get_leaf(Pa pa, unsigned long long* where, unsigned* level) {
  return get_leaf(pa, where, level);
}
int host_stage2_get_leaf(Pa pa, unsigned long long* where, signed char* level) {
  return get_leaf(pa, where, level);
}

int host_donate_sglist_hyp(const void* list, std::size_t entries) {
  // A length that no memory holds is a pointer run wild: the entries fault before that.
  const std::span bytes(static_cast<const std::uint8_t*>(list),
                        entries * PageBlockList::entry_size);
  const PageBlockList blocks{bytes};
  Ownership& ownership = *hypervisor().ownership;
  const Status done = ownership.host_donate_list(blocks);
  if (done) [[likely]]
    return 0;
  return page_answer("host_donate_sglist_hyp", ownership.refused_block(blocks), done);
}

int register_host_perm_fault_handler(HypVa handler) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.handler.perm_fault", Errno::ebusy,
                           "a module's handler of the host's permission faults"))
    return fault.answer;
  Hypervisor& hyp = hypervisor();
  return registration(
      "register_host_perm_fault_handler", handler,
      hyp.aborts.permission_handlers.add(callback_of(handler, fault_handler_cfi_type),
                                         fault_rules(hyp.generation).handlers));
}

int register_illegal_abt_notifier(HypVa notifier) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.handler.illegal_abort", Errno::ebusy,
                                               "a module's notifier of illegal aborts"))
    return fault.answer;
  return registration(
      "register_illegal_abt_notifier", notifier,
      hypervisor().aborts.illegal_abort_notifier.add(callback_of(notifier, handler_cfi_type)));
}

}  // namespace pkvmemu::hyp::ops
