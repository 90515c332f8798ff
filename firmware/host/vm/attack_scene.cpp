// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/attack_scene.h"

#include <algorithm>

#include "support/bits.h"

namespace pkvmemu::host {

namespace {

using pkvm::Generation;
using pkvm::Hypercall;

/// The first page of each place in the block.
struct PlaceRow {
  Place place;
  std::size_t page;
};
constexpr std::array place_rows = {
    PlaceRow{Place::area, 0},         PlaceRow{Place::other_area, 1},
    PlaceRow{Place::root, 2},         PlaceRow{Place::other_root, 4},
    PlaceRow{Place::storage, 6},      PlaceRow{Place::last_ran, 7},
    PlaceRow{Place::vcpu_storage, 8}, PlaceRow{Place::other_storage, 10},
    PlaceRow{Place::tables, 13},      PlaceRow{Place::other_tables, 17},
    PlaceRow{Place::code, 21},        PlaceRow{Place::secret, 22},
    PlaceRow{Place::lent, 23},        PlaceRow{Place::other_page, 24},
    PlaceRow{Place::spare, 26},
};
/// What differs between generations in how calls about guests are made (pkvm-abi.md 5.2 to 5.4).
struct Forms {
  bool donates_storage;
  Hypercall map_protected;
  Hypercall map_ordinary;
  bool reclaims_by_ipa;
  Hypercall unmap;
};
constexpr std::array<Forms, pkvm::generation_count> forms_rows = {{
    {.donates_storage = true,
     .map_protected = Hypercall::pkvm_host_map_guest,
     .map_ordinary = Hypercall::pkvm_host_map_guest,
     .reclaims_by_ipa = true,
     .unmap = Hypercall::pkvm_host_unmap_guest},
    {.donates_storage = false,
     .map_protected = Hypercall::pkvm_host_map_guest,
     .map_ordinary = Hypercall::pkvm_host_map_guest,
     .reclaims_by_ipa = false,
     .unmap = Hypercall::pkvm_host_unmap_guest},
    {.donates_storage = false,
     .map_protected = Hypercall::pkvm_host_donate_guest,
     .map_ordinary = Hypercall::pkvm_host_share_guest,
     .reclaims_by_ipa = false,
     .unmap = Hypercall::pkvm_host_unshare_guest},
}};
const Forms& forms_of(Generation id) {
  return forms_rows[static_cast<std::size_t>(id)];
}

/// What a write writes.
constexpr std::uint64_t written_word = 0xBAD0'BAD0'BAD0'BAD0;
constexpr std::uint64_t prot_rwx = 7;

bool succeeded(const CallAnswer& answer) {
  return answer.x0 == 0 && static_cast<std::int64_t>(answer.x1) >= 0;
}

}  // namespace

Pa AttackScene::pa_of_place(Place place) const {
  const Landmarks marks = lab_->landmarks();
  if (place == Place::hypervisor) return marks.hypervisor;
  if (place == Place::device) return marks.device;
  if (place == Place::beyond) return marks.beyond;
  for (const PlaceRow& row : place_rows)
    if (row.place == place) return block_ + (row.page << page_shift);
  return block_;
}

std::optional<std::size_t> AttackScene::page_of(Pa pa) const {
  if (pa < block_ || pa - block_ >= block_pages << page_shift) return std::nullopt;
  return (pa - block_) >> page_shift;
}

std::optional<std::size_t> AttackScene::page_of_kern(std::uint64_t address) const {
  const std::uint64_t begin = lab_->kernel_va(block_);
  return page_of(block_ + (address - begin));
}

std::uint64_t AttackScene::resolve(const Argument& argument) const {
  const Pa pa = pa_of_place(argument.place);
  switch (argument.form) {
    case Form::number:
      return argument.offset;
    case Form::pfn:
      return pfn_of(pa).value + argument.offset;
    case Form::gfn:
      return first_gfn + ((pa - block_) >> page_shift) + argument.offset;
    case Form::pa:
      return pa.value + argument.offset;
    case Form::kern:
      return lab_->kernel_va(pa) + argument.offset;
    case Form::handle_of_victim:
      return last_victim_ + argument.offset;
    case Form::handle_of_accomplice:
      return accomplice_.handle + argument.offset;
  }
  return 0;
}

pkvm::HostVm& AttackScene::host_vm(Place area) const {
  return *reinterpret_cast<pkvm::HostVm*>(lab_->memory(pa_of_place(area)));
}
pkvm::HostVcpu& AttackScene::host_vcpu(Place area, unsigned index) const {
  std::byte* const first = lab_->memory(pa_of_place(area)) + sizeof(pkvm::HostVm);
  return *(reinterpret_cast<pkvm::HostVcpu*>(first) + index);
}

AttackScene::Machine* AttackScene::machine_of(std::uint64_t handle) {
  if (handle == 0) return nullptr;
  if (handle == victim_.handle) return &victim_;
  return handle == accomplice_.handle ? &accomplice_ : nullptr;
}

CallAnswer AttackScene::make(Hypercall call, const Arguments& arguments) {
  const CallAnswer answer = lab_->call(call, arguments);
  if (!succeeded(answer)) failed_ = call;
  note(call, arguments, answer);
  return answer;
}

/// From 6.6 on the call says how many pages the hypervisor's heap lacks (4.4).
CallAnswer AttackScene::make_with_refills(Hypercall call, const Arguments& arguments) {
  constexpr int most_refills = 4;
  CallAnswer answer;
  for (int i = 0; i <= most_refills; ++i) {
    answer = lab_->call(call, arguments);
    const bool lacks = static_cast<std::int64_t>(answer.x1) == pkvm::negated(pkvm::Errno::enomem) &&
                       !forms_of(lab_->generation()).donates_storage && answer.x3 != 0;
    if (!lacks) break;
    for (std::uint64_t missing = answer.x3; missing != 0; --missing) {
      const auto page = lab_->take_page();
      if (!page) return answer;
      lab_->call(Hypercall::pkvm_hyp_alloc_mgt_refill, {0, page->value, 1, 0});
    }
  }
  if (!succeeded(answer)) failed_ = call;
  note(call, arguments, answer);
  return answer;
}

/// Arguments: area, root, storage, last_ran. Later generations take the first two.
CallAnswer AttackScene::init_vm(const Arguments& x) {
  const bool donates = forms_of(lab_->generation()).donates_storage;
  const Arguments sent = donates ? Arguments{x[0], x[2], x[1], x[3]} : Arguments{x[0], x[1], 0, 0};
  return make_with_refills(Hypercall::pkvm_init_vm, sent);
}

CallAnswer AttackScene::init_vcpu(const Arguments& x) {
  return make_with_refills(Hypercall::pkvm_init_vcpu, x);
}

/// pfn, gfn, pages.
CallAnswer AttackScene::map(const Arguments& x) {
  const Forms& forms = forms_of(lab_->generation());
  const bool is_protected = loaded_machine().is_protected;
  const Hypercall call = is_protected ? forms.map_protected : forms.map_ordinary;
  const Arguments sent = call == Hypercall::pkvm_host_share_guest
                             ? Arguments{x[0], x[1], prot_rwx, x[2]}
                             : Arguments{x[0], x[1], x[2], prot_rwx};
  return make(call, sent);
}

CallAnswer AttackScene::map_tables(const Arguments& x) {
  pkvm::Memcache& cache = host_vcpu(loaded_machine().area, 0).memory;
  const pkvm::Memcache before = cache;
  // More than the hypervisor can have left, so that it looks at the first.
  cache = {.head = x[2], .pages = table_pages};
  const CallAnswer answer = map({x[0], x[1], 1, 0});
  cache = before;
  return answer;
}

CallAnswer AttackScene::unmap(const Arguments& x) {
  const Hypercall call = forms_of(lab_->generation()).unmap;
  const Arguments sent = call == Hypercall::pkvm_host_unshare_guest
                             ? Arguments{x[0], x[2], std::uint64_t{1} << x[3], 0}
                             : x;
  return make(call, sent);
}

CallAnswer AttackScene::reclaim(const Arguments& x) {
  const bool by_ipa = forms_of(lab_->generation()).reclaims_by_ipa;
  return make(Hypercall::pkvm_reclaim_dying_guest_page,
              {x[0], x[1], by_ipa ? x[2] << page_shift : x[2], x[3]});
}

CallAnswer AttackScene::run(Place area, unsigned index) {
  const Pa at = pa_of_place(area) + sizeof(pkvm::HostVm) + (index * sizeof(pkvm::HostVcpu));
  return make(Hypercall::kvm_vcpu_run, {lab_->kernel_va(at), 0, 0, 0});
}

CallAnswer AttackScene::call(const AttackStep& step) {
  Arguments x{};
  std::ranges::transform(step.arguments, x.begin(),
                         [this](const Argument& argument) { return resolve(argument); });
  switch (step.verb) {
    case Verb::init_vm:
      return init_vm(x);
    case Verb::init_vcpu:
      return init_vcpu(x);
    case Verb::map:
      return map(x);
    case Verb::map_tables:
      return map_tables(x);
    case Verb::unmap:
      return unmap(x);
    case Verb::reclaim:
      return reclaim(x);
    default:
      return set(step) ? CallAnswer{} : make(step.call, x);
  }
}

bool AttackScene::set(const AttackStep& step) {
  const std::uint64_t value = step.arguments[0].offset;
  switch (step.verb) {
    case Verb::set_vcpus:
      host_vm(Place::area).created_vcpus = value;
      return true;
    case Verb::set_protected:
      host_vm(Place::area).is_protected = value;
      return true;
    case Verb::set_firmware:
      host_vm(Place::area).pvmfw_load_address = value;
      return true;
    case Verb::set_index:
      host_vcpu(Place::area, 1).index = value;
      return true;
    case Verb::set_power:
      host_vcpu(Place::area, 1).power = static_cast<pkvm::VcpuPower>(value);
      return true;
    default:
      return false;
  }
}

Touched AttackScene::touch(const AttackStep& step) {
  Access access = Access::read;
  if (step.verb == Verb::write) access = Access::write;
  if (step.verb == Verb::execute) access = Access::execute;
  return lab_->touch(access, Pa{resolve(step.arguments[0])}, written_word);
}

}  // namespace pkvmemu::host
