// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/host_stage2.h"

#include "hyp/iommu_rules.h"
#include "lib/arch.h"
#include "lib/fault.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

/// The host has VMID 0 and shares it with nobody, so all of it is forgotten at once.
void flush_host(std::uint64_t /*ipa*/) {
  arch::tlbi_vmid_all();
  arch::dsb_ish();
  arch::isb();
}

InputRange input(PaRange range) {
  return {range.begin.value, range.end.value};
}

}  // namespace

HostStage2::HostStage2(MemoryMap memory, Stage2Shape shape, Pa root, PageSource& pages,
                       pkvm::Generation generation)
    : memory_(memory),
      shape_(shape),
      generation_(generation),
      table_({.root = root,
              .start_level = shape.start_level,
              .input_bits = shape.ipa_bits,
              .split = ownership_rules(generation).keeps_rest_of_blocks ? Split::keeps_rest
                                                                        : Split::drops_rest},
             pages, flush_host) {}

Status HostStage2::map_all_memory() {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.host.map_all", Errno::enomem,
                                               "the host's stage 2 is made, at the start"))
    return injected(fault);
  for (const pkvm::HypMemoryRegion& region : memory_.regions()) {
    const PaRange range{Pa{region.base}, Pa{region.base + region.size}};
    const Status done = table_.map(input(range), range.begin,
                                   stage2_attributes(prot_rwx, PageState::owned), Blocks::allowed);
    if (!done) return done;
  }
  return {};
}

template <typename Change>
Status HostStage2::with_recycling(Change change) {
  const Status done = change();
  if (done || done.error() != Errno::enomem) return done;
  const Status recycled = recycle_mmio_tables();
  return recycled ? change() : recycled;
}

PageState HostStage2::state(Pa pa) const {
  const Descriptor d = leaf(pa).descriptor;
  if (!is_valid(d)) return d.value == 0 ? PageState::owned : PageState::no_page;
  const std::uint64_t usual = default_prot(pa).value & Prot::rwx_mask;
  return stage2_permission(d).value == usual ? state_of(d) : PageState::restricted;
}

Expected<Leaf> HostStage2::checked_leaf(Pa pa) const {
  if (!table_.covers({pa.value, pa.value}) || pa.value >> shape_.ipa_bits != 0)
    return error(Errno::erange);
  return leaf(pa);
}

Status HostStage2::annotate(PaRange range, Owner owner) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.host.annotate", Errno::enomem,
                                               "another owner is noted in the host's stage 2"))
    return injected(fault);
  const Descriptor entry = owner_annotation(owner_id(generation_, owner));
  return with_recycling([&] { return table_.set_invalid(input(range), entry); });
}

Status HostStage2::set(PaRange range, Prot prot, PageState state) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.host.map", Errno::enomem, "pages are mapped in the host's stage 2"))
    return injected(fault);
  const bool usual = prot == default_prot(range.begin) && state == PageState::owned;
  return with_recycling([&] {
    return table_.remap(input(range), range.begin, stage2_attributes(prot, state),
                        usual ? Blocks::allowed : Blocks::pages_only);
  });
}

Status HostStage2::forget_pages(PaRange range) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO(
          "hyp.host.forget", Errno::enomem, "pages leave the host's stage 2 until it touches them"))
    return injected(fault);
  return with_recycling([&] { return table_.empty_and_hold(input(range)); });
}

void HostStage2::let_go(PaRange range) {
  table_.let_go(input(range));
}

/// Needs no table: whatever entry says so lies inside the range as a whole.
void HostStage2::undo_annotation(PaRange range, Owner owner) {
  for (Pa at = range.begin; at < range.end;) {
    const Leaf found = leaf(at);
    const Pa next{align_down(at.value, level_size(found.level)) + level_size(found.level)};
    const PaRange part{at, next < range.end ? next : range.end};
    if (found.descriptor == owner_annotation(owner_id(generation_, owner)))
      check((memory_.is_ram(at) ? map_identity(part) : forget(part)).has_value());
    at = next;
  }
}

Status HostStage2::forget(PaRange range) {
  return table_.set_invalid(input(range), {});
}

Status HostStage2::handle_fault(Pa pa) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.host.fault", Errno::enomem,
                                               "the host touches memory that is not mapped yet"))
    return injected(fault);
  const fw::LockGuard guard(lock_);
  const Status done = with_recycling([&] { return map_fault(pa); });
  // Another CPU mapped it first: the access is simply repeated.
  if (!done && done.error() == Errno::eagain) return {};
  return done;
}

Status HostStage2::map_fault(Pa pa) {
  const Expected<PaRange> block = block_around(pa);
  if (!block) return error(block.error());
  const Status mapped =
      table_.map(input(*block), block->begin, stage2_attributes(default_prot(pa), PageState::owned),
                 Blocks::allowed);
  const bool tells = iommu_rules(generation_).hears_of_mapped_mmio;
  if (mapped && tells && !memory_.is_ram(pa)) tell_default(*block);
  return mapped;
}

void HostStage2::replay(HostMirror& mirror) const {
  const Pa end{bit(shape_.ipa_bits)};
  for (Pa at{0}; at < end;) {
    const Leaf found = leaf(at);
    Pa next{align_down(at.value, level_size(found.level)) + level_size(found.level)};
    const MemoryMap::Place place = memory_.find(at);
    if (next > place.range.end) next = place.range.end;
    const bool waits = found.descriptor.value == 0 && place.kind != MemoryKind::mmio;
    if (is_valid(found.descriptor) || waits)
      mirror.host_may({at, next}, waits ? default_prot(at) : stage2_permission(found.descriptor));
    at = next;
  }
}

void HostStage2::replay_taken(HostMirror& mirror) const {
  const Pa end{bit(shape_.ipa_bits)};
  for (Pa at{0}; at < end;) {
    const Leaf found = leaf(at);
    const Pa next{align_down(at.value, level_size(found.level)) + level_size(found.level)};
    if (!is_valid(found.descriptor) && found.descriptor.value != 0)
      mirror.host_may({at, next}, Prot{});
    at = next;
  }
}

/// The largest block around `pa` that stays inside its region or hole and inside the empty entry
/// that the walk ended at.
Expected<PaRange> HostStage2::block_around(Pa pa) const {
  if (!table_.covers({pa.value, pa.value + 1})) return error(Errno::eperm);
  const Leaf found = leaf(pa);
  if (is_valid(found.descriptor)) return error(Errno::eagain);
  if (found.descriptor.value != 0) return error(Errno::eperm);
  PaRange limit = memory_.find(pa).range;
  if (limit.end.value > bit(shape_.ipa_bits)) limit.end = Pa{bit(shape_.ipa_bits)};
  for (unsigned level = found.level; level < last_level; ++level) {
    const Pa begin{align_down(pa.value, level_size(level))};
    const PaRange block{begin, begin + level_size(level)};
    if (level_may_hold_leaf(level) && limit.contains(block)) return block;
  }
  const Pa page{align_down(pa.value, page_size)};
  return PaRange{page, page + page_size};
}

/// Out of table pages: what is mapped outside RAM comes back at the next access, so let it go. What
/// the host gave away or uses for DMA there must stay noted, so only plain leaves go.
Status HostStage2::recycle_mmio_tables() {
  Pa at{0};
  const Pa end{bit(shape_.ipa_bits)};
  while (at < end) {
    if (memory_.is_ram(at)) {
      at = memory_.find(at).range.end;
      continue;
    }
    const Leaf found = leaf(at);
    const Pa next{align_down(at.value, level_size(found.level)) + level_size(found.level)};
    if (is_valid(found.descriptor) && state_of(found.descriptor) == PageState::owned) {
      const Status done = forget({Pa{align_down(at.value, level_size(found.level))}, next});
      if (!done) return done;
    }
    at = next;
  }
  return {};
}

}  // namespace pkvmemu::hyp
