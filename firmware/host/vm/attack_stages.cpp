// SPDX-License-Identifier: GPL-2.0-only
// The way to each stage and back, and the books about who has which page.
#include <algorithm>

#include "host/vm/attack_scene.h"
#include "lib/memory.h"

namespace pkvmemu::host {

namespace {

using pkvm::Hypercall;

constexpr std::size_t root_pages = pkvm::guest_root_size >> page_shift;
// The victim's program: HVC, with what the host put into its registers, then WFI for ever.
constexpr std::array<std::uint32_t, 3> program = {0xD400'0002, 0xD503'207F, 0x17FF'FFFF};
constexpr std::uint64_t secret_word = 0x5EC1'2E75'EC12'E75E;

constexpr Argument place(Form form, Place where) {
  return {.form = form, .place = where};
}
bool succeeded(const CallAnswer& answer) {
  return answer.x0 == 0 && static_cast<std::int64_t>(answer.x1) >= 0;
}

}  // namespace

void AttackScene::fill_memcache(Place tables, std::size_t pages, pkvm::Memcache& cache) {
  const Pa first = pa_of_place(tables);
  for (std::size_t i = 0; i < pages; ++i) {
    const Pa next = i + 1 < pages ? first + ((i + 1) << page_shift) : Pa{0};
    *reinterpret_cast<std::uint64_t*>(lab_->memory(first + (i << page_shift))) = next.value;
  }
  cache = {.head = first.value, .pages = pages};
}

void AttackScene::describe(Machine& machine, bool is_protected, std::uint64_t vcpus) {
  machine.is_protected = is_protected;
  fw::fill_bytes(lab_->memory(pa_of_place(machine.area)), 0, page_size);
  host_vm(machine.area) = {.is_protected = is_protected ? 1U : 0U,
                           .created_vcpus = vcpus,
                           .pvmfw_load_address = pkvm::no_pvmfw_address,
                           .handle = 0,
                           .teardown = {}};
  for (unsigned i = 0; i < vcpus; ++i) {
    pkvm::HostVcpu& vcpu = host_vcpu(machine.area, i);
    vcpu.index = i;
    vcpu.power = i == 0 ? pkvm::VcpuPower::runnable : pkvm::VcpuPower::stopped;
  }
  pkvm::HostVcpu& entry = host_vcpu(machine.area, 0);
  entry.pc = resolve(place(Form::gfn, Place::code)) << page_shift;
  entry.x[0] = pkvm::guest_call::mem_share;
  entry.x[1] = resolve(place(Form::gfn, Place::lent)) << page_shift;
  fill_memcache(machine.tables, table_pages, entry.memory);
}

void AttackScene::share_areas() {
  describe(victim_, true, 2);
  for (const Place area : {Place::area, Place::other_area})
    make(Hypercall::pkvm_host_share_hyp, {resolve(place(Form::pfn, area)), 0, 0, 0});
}

bool AttackScene::give(Place where) {
  return succeeded(map({resolve(place(Form::pfn, where)), resolve(place(Form::gfn, where)), 1, 0}));
}

/// The victim shares a page with the host and waits.
bool AttackScene::start_victim() {
  std::byte* const code = lab_->memory(pa_of_place(Place::code));
  fw::copy_bytes(code, program.data(), sizeof(program));
  lab_->publish(pa_of_place(Place::code));
  *reinterpret_cast<std::uint64_t*>(lab_->memory(pa_of_place(Place::secret))) = secret_word;
  make(Hypercall::pkvm_vcpu_load, {victim_.handle, 0, 0, 0});
  for (const Place where : {Place::code, Place::secret, Place::lent})
    if (!give(where)) return false;
  const CallAnswer ran = run(Place::area, 0);
  if (ran.x1 != static_cast<std::uint64_t>(pkvm::GuestExit::trap)) return false;
  // Its word is that page's state: the host reaches it again.
  taken_.reset(*page_of(pa_of_place(Place::lent)));
  make(Hypercall::pkvm_vcpu_put, {});
  return true;
}

bool AttackScene::populate(Stage stage) {
  describe(accomplice_, stage == Stage::rivals, 1);
  const auto kern = [this](Place where, std::uint64_t pages = 0) {
    return resolve({.form = Form::kern, .place = where, .offset = pages << page_shift});
  };
  const auto vcpu = [&](Place area, std::uint64_t index) {
    return kern(area) + sizeof(pkvm::HostVm) + (index * sizeof(pkvm::HostVcpu));
  };
  if (!succeeded(init_vcpu({victim_.handle, vcpu(Place::area, 0), kern(Place::vcpu_storage), 0})))
    return false;
  if (!succeeded(
          init_vcpu({victim_.handle, vcpu(Place::area, 1), kern(Place::vcpu_storage, 1), 0})))
    return false;
  if (!succeeded(init_vm({kern(Place::other_area), kern(Place::other_root),
                          kern(Place::other_storage), kern(Place::other_storage, 1)})))
    return false;
  if (!succeeded(init_vcpu(
          {accomplice_.handle, vcpu(Place::other_area, 0), kern(Place::other_storage, 2), 0})))
    return false;
  if (!start_victim()) return false;
  make(Hypercall::pkvm_vcpu_load, {accomplice_.handle, 0, 0, 0});
  const bool given = give(Place::other_page);
  make(Hypercall::pkvm_vcpu_put, {});
  return given;
}

std::optional<Hypercall> AttackScene::set_up(Stage stage) {
  share_areas();
  if (stage == Stage::nothing) return std::nullopt;
  const auto kern = [this](Place where) { return resolve(place(Form::kern, where)); };
  if (!succeeded(init_vm(
          {kern(Place::area), kern(Place::root), kern(Place::storage), kern(Place::last_ran)})))
    return failed_;
  if (stage == Stage::made) return std::nullopt;
  if (!populate(stage)) return failed_;
  if (stage == Stage::loaded) make(Hypercall::pkvm_vcpu_load, {victim_.handle, 0, 0, 0});
  if (stage == Stage::dying &&
      !succeeded(make(Hypercall::pkvm_start_teardown_vm, {victim_.handle, 0, 0, 0})))
    return failed_;
  if (stage == Stage::gone && !end(victim_)) return failed_;
  return std::nullopt;
}

void AttackScene::note_storage(std::uint64_t kern, std::size_t pages) {
  const auto first = page_of_kern(kern);
  for (std::size_t i = 0; first && i < pages; ++i)
    taken_.set(*first + i);
}

/// What the hypervisor had of this VM it has given back.
void AttackScene::note_teardown(Machine& machine) {
  machine.handle = 0;
  machine.dying = false;
  const bool is_victim = &machine == &victim_;
  const auto back = [this](Place first, std::size_t pages) {
    const std::size_t page = *page_of(pa_of_place(first));
    for (std::size_t i = 0; i < pages; ++i)
      taken_.reset(page + i);
  };
  back(machine.root, root_pages);
  back(machine.tables, table_pages);
  if (is_victim) {
    back(Place::storage, 1);
    back(Place::last_ran, 1);
    back(Place::vcpu_storage, 2);
  } else {
    constexpr std::size_t storage_pages = 3;
    back(Place::other_storage, storage_pages);
  }
}

void AttackScene::note(Hypercall call, const Arguments& x, const CallAnswer& answer) {
  const bool donates = lab_->generation() == pkvm::Generation::android14_6_1;
  if (call == Hypercall::pkvm_vcpu_load) {
    victim_loaded_ = anything_loaded_ ? victim_loaded_ : machine_of(x[0]) != &accomplice_;
    anything_loaded_ = true;
    return;
  }
  if (call == Hypercall::pkvm_vcpu_put) {
    anything_loaded_ = false;
    victim_loaded_ = true;
    return;
  }
  if (!succeeded(answer)) return;
  switch (call) {
    case Hypercall::pkvm_init_vm: {
      Machine& made =
          page_of_kern(x[0]) == page_of(pa_of_place(Place::area)) ? victim_ : accomplice_;
      made.handle = answer.x1;
      if (&made == &victim_) last_victim_ = made.handle;
      note_storage(donates ? x[2] : x[1], root_pages);
      if (!donates) return;
      note_storage(x[1], 1);
      note_storage(x[3], 1);
      return;
    }
    case Hypercall::pkvm_init_vcpu:
      if (donates) note_storage(x[2], 1);
      return;
    case Hypercall::pkvm_host_map_guest:
    case Hypercall::pkvm_host_donate_guest:
    case Hypercall::pkvm_host_share_guest: {
      const auto page = page_of(pa_of(Pfn{x[0]}));
      Machine& owner = loaded_machine();
      if (!page || given_count_ == given_.size()) return;
      given_[given_count_++] = {.owner = &owner, .page = *page, .gfn = x[1]};
      taken_.set(*page, owner.is_protected);
      if (owner.is_protected) secret_.set(*page);
      return;
    }
    case Hypercall::pkvm_host_unmap_guest:
    case Hypercall::pkvm_host_unshare_guest:
    case Hypercall::pkvm_reclaim_dying_guest_page: {
      const bool by_gfn = call == Hypercall::pkvm_host_unshare_guest;
      const auto is_it = [&](const Given& given) {
        return by_gfn ? given.gfn == x[1] : given.page == page_of(pa_of(Pfn{x[1]}));
      };
      auto* const found = std::ranges::find_if(
          given_, [&](const Given& given) { return given.owner != nullptr && is_it(given); });
      if (found == given_.end()) return;
      taken_.reset(found->page);
      *found = given_[--given_count_];
      given_[given_count_] = {};
      return;
    }
    case Hypercall::pkvm_start_teardown_vm:
      if (Machine* machine = machine_of(x[0]); machine != nullptr) machine->dying = true;
      return;
    case Hypercall::pkvm_finalize_teardown_vm:
      if (Machine* machine = machine_of(x[0]); machine != nullptr) note_teardown(*machine);
      return;
    default:
      return;
  }
}

/// Table pages went over to the hypervisor as the memcache says. A host that has all its privileges
/// reaches everything.
std::optional<std::size_t> AttackScene::wrong_page() {
  const auto tables = [this](const Machine& machine) {
    const std::uint64_t left = host_vcpu(machine.area, 0).memory.pages;
    const std::size_t first = *page_of(pa_of_place(machine.tables));
    for (std::size_t i = 0; i < table_pages; ++i)
      taken_.set(first + i, machine.handle != 0 && i + left < table_pages);
  };
  tables(victim_);
  tables(accomplice_);
  for (std::size_t page = 0; page < block_pages; ++page) {
    const Pa pa = block_ + (page << page_shift);
    const bool refused = taken_.test(page) && lab_->phase() == AttackPhase::after;
    if (lab_->touch(Access::read, pa, 0).abort != refused) return page;
  }
  return std::nullopt;
}

bool AttackScene::end(Machine& machine) {
  if (machine.handle == 0) return true;
  const std::uint64_t handle = machine.handle;
  if (!machine.dying && !succeeded(make(Hypercall::pkvm_start_teardown_vm, {handle, 0, 0, 0})))
    return false;
  for (std::size_t i = given_count_; i-- > 0;) {
    const Given given = given_[i];
    if (given.owner != &machine) continue;
    const std::uint64_t pfn = pfn_of(block_).value + given.page;
    if (!succeeded(reclaim({handle, pfn, given.gfn, 0}))) return false;
  }
  return succeeded(make(Hypercall::pkvm_finalize_teardown_vm, {handle, 0, 0, 0}));
}

std::optional<Hypercall> AttackScene::tear_down() {
  make(Hypercall::pkvm_vcpu_put, {});
  const bool ended = end(victim_) && end(accomplice_);
  if (!ended) return failed_;
  for (const Place area : {Place::area, Place::other_area})
    if (!succeeded(
            make(Hypercall::pkvm_host_unshare_hyp, {resolve(place(Form::pfn, area)), 0, 0, 0})))
      return failed_;
  return std::nullopt;
}

/// A page's first word may be a memcache's link, which the tear-down wrote; a guest's page has
/// none.
std::optional<std::size_t> AttackScene::dirty_page() const {
  for (std::size_t page = 0; page < block_pages; ++page) {
    if (!secret_.test(page)) continue;
    const auto* const words =
        reinterpret_cast<const std::uint64_t*>(lab_->memory(block_ + (page << page_shift)));
    const bool zero = std::all_of(words, words + (page_size / sizeof(std::uint64_t)),
                                  [](std::uint64_t word) { return word == 0; });
    if (!zero) return page;
  }
  return std::nullopt;
}

}  // namespace pkvmemu::host
