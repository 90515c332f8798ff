// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/hyp_space.h"

#include <algorithm>
#include <bit>

#include "lib/arch.h"
#include "lib/fault.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

void flush_hyp_page(std::uint64_t va) {
  arch::tlbi_hyp_page(va);
  arch::dsb_ish();
  arch::isb();
}

InputRange input(HypVa va, std::uint64_t size) {
  return {va.value, va.value + size};
}

}  // namespace

HypSpace::HypSpace(Layout layout, PageTable::Shape shape, PageSource& pages,
                   pkvm::Generation generation)
    : layout_(layout),
      linear_(pages.map()),
      table_(shape, pages, flush_hyp_page),
      generation_(generation),
      cursor_(layout.first_free) {}

Status HypSpace::map_pages(HypVa va, Pa pa, std::uint64_t size, Prot prot, PageState state) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.map", Errno::enomem, "a mapping in the hypervisor's own stage 1"))
    return injected(fault);
  const Expected<std::uint64_t> attributes = hyp_attributes(prot, state, generation_);
  if (!attributes) return error(attributes.error());
  const Status done = table_.map(input(va, size), pa, *attributes, Blocks::pages_only);
  arch::isb();
  // pkvm-abi.md 1.1: over a different valid leaf the answer is -EINVAL.
  if (!done && done.error() == Errno::eagain) return error(Errno::einval);
  return done;
}

Status HypSpace::map_linear(PaRange range, Prot prot, PageState state) {
  const fw::LockGuard guard(lock_);
  return map_pages(linear_.hyp_va(range.begin), range.begin, range.size(), prot, state);
}

Status HypSpace::unmap_linear(PaRange range) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.unmap_linear", Errno::enomem,
                                               "pages leave the hypervisor's linear map"))
    return injected(fault);
  const fw::LockGuard guard(lock_);
  return table_.set_invalid(input(linear_.hyp_va(range.begin), range.size()), {});
}

Status HypSpace::remap_linear(PaRange range, Prot prot, PageState state) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO(
          "hyp.remap", Errno::enomem, "the protection of the hypervisor's linear map changes"))
    return injected(fault);
  const Expected<std::uint64_t> attributes = hyp_attributes(prot, state, generation_);
  if (!attributes) return error(attributes.error());
  const fw::LockGuard guard(lock_);
  return table_.remap(input(linear_.hyp_va(range.begin), range.size()), range.begin, *attributes,
                      Blocks::pages_only);
}

PageState HypSpace::linear_state(Pa pa) const {
  const Leaf leaf = linear_leaf(pa);
  return is_valid(leaf.descriptor) ? state_of(leaf.descriptor) : PageState::no_page;
}

Status HypSpace::map_at(HypVa va, Pa pa, std::uint64_t size, Prot prot) {
  const fw::LockGuard guard(lock_);
  return map_pages(HypVa{align_down(va.value, page_size)}, pa, align_up(size, page_size), prot,
                   PageState::owned);
}

Status HypSpace::unmap_at(HypVa va, std::uint64_t size) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.unmap", Errno::enomem, "a mapping of the hypervisor's goes"))
    return injected(fault);
  const fw::LockGuard guard(lock_);
  return table_.set_invalid(
      input(HypVa{align_down(va.value, page_size)}, align_up(size, page_size)), {});
}

Expected<HypVa> HypSpace::take_va(std::uint64_t pages) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.va.take", Errno::enomem,
                                               "addresses for a module or a private mapping"))
    return injected(fault);
  const fw::LockGuard guard(lock_);
  const AddressRules& rules = address_rules(generation_);
  const std::uint64_t room = std::min(layout_.vmemmap - layout_.private_base, rules.at_most);
  if (pages > room / page_size) return error(Errno::enomem);
  const std::uint64_t alignment = rules.aligns_to_order ? std::bit_ceil(pages) : 1;
  const HypVa va{align_up(cursor_.value, alignment * page_size)};
  const HypVa end = va + (pages * page_size);
  if (end - layout_.private_base > room) return error(Errno::enomem);
  cursor_ = end;
  return va;
}

Expected<HypVa> HypSpace::create_private_mapping(Pa pa, std::uint64_t size, Prot prot) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.private_map", Errno::enomem, "a private mapping of the hypervisor"))
    return injected(fault);
  const std::uint64_t offset = pa.value % page_size;
  if (size > low_mask(48)) return error(Errno::enomem);
  const std::uint64_t bytes = align_up(size + offset, page_size);
  const Expected<HypVa> va = take_va(bytes / page_size);
  if (!va) return va;
  const Status mapped = map_at(*va, pa - offset, bytes, prot);
  if (!mapped) return error(mapped.error());
  return *va + offset;
}

std::optional<HypVa> HypSpace::map_early(Pa pa, std::uint64_t size, Prot prot) {
  if (PKVM_FAULT_NOTHING("hyp.early.map", "memory that a module maps before deprivilege"))
    return std::nullopt;
  const bool aligned = is_aligned(pa.value, page_size) && is_aligned(size, page_size);
  if (!aligned || !fits_physical(pfn_of(pa).value, size >> page_shift)) return std::nullopt;
  if (!map_linear({pa, pa + size}, prot, PageState::owned)) return std::nullopt;
  const fw::LockGuard guard(lock_);
  early_bytes_ += size;
  return linear_.hyp_va(pa);
}

void HypSpace::unmap_early(HypVa va, std::uint64_t size) {
  check(unmap_at(va, size).has_value());
  const fw::LockGuard guard(lock_);
  early_bytes_ -= size;
}

/// The entry of a window keeps all but its valid bit when it is unmapped.
void HypSpace::map_window(HypVa va, std::uint64_t size, Pa pa) {
  const auto attributes = hyp_attributes(prot_rw, PageState::owned, generation_);
  const Blocks blocks = size == page_size ? Blocks::pages_only : Blocks::allowed;
  check(table_.remap(input(va, size), pa, *attributes, blocks).has_value());
  arch::isb();
}

void HypSpace::unmap_window(HypVa va, std::uint64_t size) {
  Descriptor left = without_valid(table_.leaf(va.value).descriptor);
  if (address_rules(generation_).unmap_resets_type) left.value &= ~stage1_attribute_index;
  check(table_.set_invalid(input(va, size), left).has_value());
}

HypVa HypSpace::fixmap_map(unsigned cpu, Pa pa) {
  const HypVa slot = layout_.fixmap_slot(cpu);
  const std::uint64_t offset = pa.value % page_size;
  map_window(slot, page_size, pa - offset);
  return slot + offset;
}

void HypSpace::fixmap_unmap(unsigned cpu) {
  unmap_window(layout_.fixmap_slot(cpu), page_size);
}

HypVa HypSpace::fixblock_map(Pa pa) {
  check(is_aligned(pa.value, Layout::block_size));
  block_lock_.lock();
  map_window(layout_.block_slot, Layout::block_size, pa);
  return layout_.block_slot;
}

void HypSpace::fixblock_unmap() {
  unmap_window(layout_.block_slot, Layout::block_size);
  block_lock_.unlock();
}

}  // namespace pkvmemu::hyp
