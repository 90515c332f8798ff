// SPDX-License-Identifier: GPL-2.0-only
#include "guest_invariants.h"

#include <fmt/format.h>

#include <map>

#include "support/bits.h"

namespace pkvmemu::hyp::test {

namespace {

/// What all tables and books say of one page.
struct View {
  Pa pa;
  Descriptor host;
  PageState host_state;
  bool alias;
  PageState alias_state;
  std::uint16_t references;
  std::vector<GuestPage> guests;
};

std::string words(const View& view) {
  std::string guests;
  for (const GuestPage& page : view.guests)
    guests += fmt::format(" [vm {:#x} gfn {:#x} state {}]", page.vm->handle, page.gfn,
                          static_cast<int>(page.state));
  return fmt::format("{:#x}: host leaf {:#x} state {}, alias {} state {}, references {}, guests{}",
                     view.pa.value, view.host.value, static_cast<int>(view.host_state), view.alias,
                     static_cast<int>(view.alias_state), view.references, guests);
}

const std::uint64_t* table_at(Pa table) {
  return hypervisor().linear.pointer<const std::uint64_t>(table);
}

void walk(const Vm& vm, Pa table, unsigned level, std::uint64_t entries, std::uint64_t ipa,
          std::vector<GuestPage>& found) {
  for (std::uint64_t i = 0; i < entries; ++i) {
    const Descriptor entry{table_at(table)[i]};
    const std::uint64_t at = ipa + (i * level_size(level));
    if (is_table(entry, level))
      walk(vm, address_of(entry), level + 1, entries_per_table, at, found);
    else if (is_valid(entry))
      found.push_back(
          {.vm = &vm, .gfn = at >> page_shift, .pa = address_of(entry), .state = state_of(entry)});
  }
}

/// Pins of the structures that the host shares about VMs and vCPUs.
std::map<std::uint64_t, unsigned> pins() {
  std::map<std::uint64_t, unsigned> counts;
  const auto pin = [&counts](const void* object, std::size_t size) {
    const LinearMap& linear = hypervisor().linear;
    const HypVa at{reinterpret_cast<std::uint64_t>(object)};
    const Pa end = linear.hyp_pa(at + size);
    for (Pa page{align_down(linear.hyp_pa(at).value, page_size)}; page < end;
         page = page + page_size)
      ++counts[page.value];
  };
  for (const Vm* vm : all_vms()) {
    pin(vm->host, sizeof(*vm->host));
    for (const Vcpu* vcpu : vm->vcpus)
      if (vcpu != nullptr) pin(vcpu->host, sizeof(*vcpu->host));
  }
  return counts;
}

/// The one guest that has the page, as it should be.
bool is_guests(const View& view, PageState state, bool of_protected) {
  return view.guests.size() == 1 && view.guests[0].state == state &&
         view.guests[0].vm->is_protected == of_protected;
}

/// Whether the guest knows the page as a buffer of FF-A's, or as the secure world's to use.
bool is_with_ffa(const GuestPage& page) {
  return page.vm->ffa.holds(Ipa{page.gfn << page_shift});
}
bool is_secure(const View& view) {
  return is_guests(view, PageState::shared_owned, true) && is_with_ffa(view.guests[0]);
}

bool is_consistent(const View& view, pkvm::Generation generation) {
  const auto owner = [generation](Owner who) {
    return owner_annotation(owner_id(generation, who));
  };
  const bool reachable = view.host.value == 0 || is_valid(view.host);
  if (view.host == owner(Owner::hyp))
    return view.alias && view.alias_state == PageState::owned && view.guests.empty();
  if (view.host == owner(Owner::guest))
    return !view.alias && (is_secure(view) || (is_guests(view, PageState::owned, true) &&
                                               !is_with_ffa(view.guests[0])));
  if (!reachable) return false;
  switch (view.host_state) {
    case PageState::owned:
      return !view.alias && view.guests.empty();
    case PageState::shared_borrowed:
      return !view.alias && is_guests(view, PageState::shared_owned, true) && !is_secure(view);
    case PageState::shared_owned:
      if (view.guests.empty()) return view.alias && view.alias_state == PageState::shared_borrowed;
      return !view.alias && is_guests(view, PageState::shared_borrowed, false);
    default:
      return false;
  }
}

View view_of(World& world, Pa pa) {
  const Leaf leaf = world.host().leaf(pa);
  const PageState alias = world.space().linear_state(pa);
  return {.pa = pa,
          .host = leaf.descriptor,
          .host_state = world.ownership().host_state(pa),
          .alias = alias != PageState::no_page,
          .alias_state = alias,
          .references = world.page(pa).refcount,
          .guests = {}};
}

bool is_no_map(Pa pa) {
  return pa >= no_map_begin && pa < no_map_begin + mib;
}

}  // namespace

std::vector<const Vm*> all_vms() {
  std::vector<const Vm*> vms;
  for (unsigned i = 0; i < pkvm::max_vms; ++i)
    if (const Vm* vm = hypervisor().vms.find(pkvm::first_vm_handle + i); vm != nullptr)
      vms.push_back(vm);
  return vms;
}

std::vector<GuestPage> pages_of_guest(const Vm& vm) {
  std::vector<GuestPage> found;
  constexpr Stage2Shape shape = guest_shape();
  walk(vm, vm.root.begin, shape.start_level, std::uint64_t{shape.root_pages} * entries_per_table, 0,
       found);
  return found;
}

std::string broken_invariant(World& world) {
  std::map<std::uint64_t, std::vector<GuestPage>> guests;
  for (const Vm* vm : all_vms()) {
    const std::vector<GuestPage> pages = pages_of_guest(*vm);
    if (pages.size() != vm->guest_pages)
      return fmt::format("vm {:#x} maps {} pages and counts {}", vm->handle, pages.size(),
                         vm->guest_pages);
    for (const GuestPage& page : pages)
      guests[page.pa.value].push_back(page);
  }
  const std::map<std::uint64_t, unsigned> pinned = pins();
  for (Pa pa = ram_begin; pa < ram_end; pa = pa + page_size) {
    const auto found = guests.find(pa.value);
    const bool has_guest = found != guests.end();
    if (is_no_map(pa)) {
      if (has_guest) return fmt::format("{:#x}: a guest has no-map memory", pa.value);
      continue;
    }
    View view = view_of(world, pa);
    if (has_guest) view.guests = found->second;
    if (!is_consistent(view, world.hyp().generation)) return words(view);
    if (pa >= pool_begin) continue;
    const auto pin = pinned.find(pa.value);
    if (view.references != (pin == pinned.end() ? 0 : pin->second))
      return words(view) + "; the pins are others";
    if (is_valid(view.host) &&
        address_of(view.host) + (pa.value % level_size(world.host().leaf(pa).level)) != pa)
      return words(view) + "; no identity";
  }
  for (const auto& [pa, pages] : guests)
    if (Pa{pa} < ram_begin || Pa{pa} >= pool_begin)
      return fmt::format("a guest maps {:#x}, which is not the host's to give", pa);
  return {};
}

std::size_t pages_of_hypervisor(World& world) {
  const Descriptor own = owner_annotation(owner_id(world.hyp().generation, Owner::hyp));
  std::size_t count = 0;
  for (Pa pa = ram_begin; pa < pool_begin; pa = pa + page_size)
    if (world.host().leaf(pa).descriptor == own) ++count;
  return count;
}

}  // namespace pkvmemu::hyp::test
