// SPDX-License-Identifier: GPL-2.0-only
// Long random sequences of the host's calls about guests, sensible and absurd ones, with guests
// that answer at random: no invariant of guest_invariants.h breaks, a page that comes back from a
// protected guest is zero, and when all VMs are torn down the host has everything again.
//
// PKVMEMU_GUEST_SEQUENCES sets how many sequences a generation gets, PKVMEMU_SEED the seed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "guest_ffa_moves.h"
#include "guest_invariants.h"
#include "harness/generation_printer.h"
#include "harness/random_seed.h"
#include "native_lab.h"
#include "pkvm/smccc.h"

namespace pkvmemu::hyp::test {
namespace {

using arch::Sysreg;
using host::CallAnswer;
using host::CallArguments;
using pkvm::Hypercall;
using pkvmemu::test::from_environment;

constexpr std::size_t block_begin = 0x80;
constexpr std::size_t block_pages = 0x80;
constexpr std::uint64_t first_gfn = 0x80000;
constexpr std::uint64_t guest_pages = 16;
constexpr std::uint64_t firmware_ipa = 0x7fc0'0000;
constexpr unsigned steps_in_sequence = 48;
constexpr std::uint64_t sequences_in_world = 20'000;
constexpr std::size_t most_vms = 4;
constexpr unsigned most_vcpus = 3;
constexpr std::uint64_t secret_word = 0x5EC1'2E75'EC12'E75E;
constexpr std::size_t secret_at = 8;  // the first words may be links of a memcache

struct Step {
  Hypercall call;
  CallArguments arguments;
  CallAnswer answer;
};

class GuestProperty : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  std::unique_ptr<NativeLab> lab;
  std::mt19937_64 random;
  std::uint64_t seed = 0;
  std::uint64_t sequence = 0;
  std::vector<Step> steps;
  std::size_t refilled = 0;  ///< pages that a random refill gave to the heap
  std::string broken;        ///< what a guest noticed
  std::optional<Pa> relinquished;
  bool speaks_ffa = false;  ///< in this sequence, hardly anything else
  struct {
    std::uint64_t vms = 0, vcpus = 0, maps = 0, runs = 0, entries = 0, shares = 0, reclaims = 0,
                  calls = 0, ffa = 0;
  } done;

  void SetUp() override {
    current = this;
    std::signal(SIGABRT, [](int) { std::fputs(current->story().c_str(), stderr); });
    new_world();
  }
  void TearDown() override {
    std::signal(SIGABRT, SIG_DFL);
    current = nullptr;
  }

  bool is_6_1() const { return GetParam().id == pkvm::Generation::android14_6_1; }
  bool is_6_12() const { return GetParam().id == pkvm::Generation::android16_6_12; }
  std::uint64_t draw(std::uint64_t below) { return random() % below; }
  bool one_in(std::uint64_t n) { return draw(n) == 0; }

  void new_world() {
    lab.reset();
    lab = std::make_unique<NativeLab>(GetParam().id);
    arch::fake::state().guest = [](unsigned long long* general) { return current->guest(general); };
    if (is_6_12() && sequence != 0) done.ffa += secure_counts().returned;
    if (is_6_12()) start_secure_world();
    refilled = 0;
  }

  std::string story() const {
    std::string text = fmt::format("seed {} sequence {}:\n", seed, sequence);
    for (const Step& step : steps)
      text += fmt::format("  {}({:#x}, {:#x}, {:#x}, {:#x}): x0 {:#x}, x1 {}\n",
                          pkvm::name_of(step.call), step.arguments[0], step.arguments[1],
                          step.arguments[2], step.arguments[3], step.answer.x0,
                          static_cast<std::int64_t>(step.answer.x1));
    return text;
  }

  CallAnswer call(Hypercall which, const CallArguments& arguments) {
    steps.push_back({.call = which, .arguments = arguments, .answer = {}});
    const CallAnswer answer = lab->call(which, arguments);
    steps.back().answer = answer;
    ++done.calls;
    return answer;
  }
  static bool good(const CallAnswer& answer) {
    return answer.x0 == 0 && static_cast<std::int64_t>(answer.x1) >= 0;
  }

  // What the host has and knows.
  PageState state(Pa page) { return lab->world().ownership().host_state(page); }
  bool reaches(Pa page) {
    const PageState has = state(page);
    return has == PageState::owned || has == PageState::shared_owned ||
           has == PageState::shared_borrowed;
  }
  Pa any_page() { return host_page(block_begin + draw(block_pages)); }
  std::optional<Pa> owned_page() {
    for (int i = 0; i < 8; ++i)
      if (const Pa page = any_page(); state(page) == PageState::owned) return page;
    return std::nullopt;
  }
  std::optional<Pa> owned_pair() {
    for (int i = 0; i < 8; ++i) {
      const Pa page = host_page((block_begin + draw(block_pages)) & ~std::size_t{1});
      if (state(page) == PageState::owned && state(page + page_size) == PageState::owned)
        return page;
    }
    return std::nullopt;
  }
  std::uint64_t* words(Pa page) { return reinterpret_cast<std::uint64_t*>(lab->memory(page)); }
  std::uint64_t kern(Pa page) { return lab->kernel_va(page); }
  const Vm* any_vm() {
    const auto vms = all_vms();
    return vms.empty() ? nullptr : vms[draw(vms.size())];
  }
  static bool is_loaded(const Vm& vm) {
    return std::ranges::any_of(
        vm.vcpus, [](const Vcpu* vcpu) { return vcpu != nullptr && vcpu->loaded_on != max_cpus; });
  }
  static const Vcpu* loaded() { return hypervisor().vms.loaded(0); }

  // Sensible steps.
  void fill_memcache(pkvm::Memcache& cache);
  void make_vm();
  void make_vcpu();
  void load();
  void map();
  void run();
  void end_vm();
  void take_back();
  void begin_ffa();
  void share_or_unshare();
  void sensible_step();
  // Absurd ones.
  std::uint64_t absurd_value();
  void scribble();
  void absurd_step();

  /// What a guest does when it is entered.
  std::uint64_t guest(unsigned long long* general);
  void guest_calls(unsigned long long* general);
  void look_at_relinquished(std::uint64_t answer);

  std::string end_ffa(const Vm& vm);
  std::string reclaim_all(const Vm& vm);
  std::string tear_down_all();
  std::string run_sequence(bool looks_after_each);

  inline static GuestProperty* current = nullptr;
};

void GuestProperty::fill_memcache(pkvm::Memcache& cache) {
  for (std::uint64_t wanted = one_in(4) ? draw(3) : 2 + draw(4); cache.pages < wanted;) {
    const auto page = owned_page();
    if (!page) return;
    *words(*page) = cache.head;
    cache.head = page->value;
    ++cache.pages;
  }
}

void GuestProperty::make_vm() {
  if (all_vms().size() >= most_vms) return;
  const auto area = owned_page();
  const auto root = owned_pair();
  const auto storage = owned_page();
  const auto last_ran = owned_page();
  if (!area || !root || !storage || !last_ran) return;
  if (!good(call(Hypercall::pkvm_host_share_hyp, {frame(*area), 0, 0, 0}))) return;
  std::fill_n(words(*area), page_size / sizeof(std::uint64_t), 0);
  auto& shared = *reinterpret_cast<pkvm::HostVm*>(words(*area));
  shared = {.is_protected = draw(3) == 0 ? 0U : 1U,
            .created_vcpus = 1 + draw(most_vcpus),
            .pvmfw_load_address = one_in(3) ? firmware_ipa : pkvm::no_pvmfw_address,
            .handle = 0,
            .teardown = {},
            .ffa_allowed = draw(4) == 0 ? 0U : 1U};
  const CallArguments arguments =
      is_6_1() ? CallArguments{kern(*area), kern(*storage), kern(*root), kern(*last_ran)}
               : CallArguments{kern(*area), kern(*root), 0, 0};
  for (int i = 0; i < 4; ++i) {
    const CallAnswer answer = call(Hypercall::pkvm_init_vm, arguments);
    if (good(answer)) ++done.vms;
    if (is_6_1() || answer.x3 == 0) return;
    for (std::uint64_t missing = answer.x3; missing != 0; --missing)
      if (const auto page = lab->take_page(); page)
        call(Hypercall::pkvm_hyp_alloc_mgt_refill, {0, page->value, 1, 0});
  }
}

void GuestProperty::make_vcpu() {
  const Vm* vm = any_vm();
  const auto storage = owned_page();
  if (vm == nullptr || !storage || vm->vcpu_count == most_vcpus) return;
  auto* const host = reinterpret_cast<pkvm::HostVcpu*>(vm->host + 1) + vm->vcpu_count;
  host->index = vm->vcpu_count;
  host->power =
      vm->vcpu_count == 0 || one_in(2) ? pkvm::VcpuPower::runnable : pkvm::VcpuPower::stopped;
  const CallArguments arguments = {vm->handle, reinterpret_cast<std::uint64_t>(host),
                                   kern(*storage), 0};
  for (int i = 0; i < 4; ++i) {
    const CallAnswer answer = call(Hypercall::pkvm_init_vcpu, arguments);
    if (good(answer)) ++done.vcpus;
    if (is_6_1() || answer.x3 == 0) return;
    for (std::uint64_t missing = answer.x3; missing != 0; --missing)
      if (const auto page = lab->take_page(); page)
        call(Hypercall::pkvm_hyp_alloc_mgt_refill, {0, page->value, 1, 0});
  }
}

void GuestProperty::load() {
  if (loaded() != nullptr && one_in(4)) call(Hypercall::pkvm_vcpu_put, {});
  const Vm* vm = any_vm();
  if (vm != nullptr) call(Hypercall::pkvm_vcpu_load, {vm->handle, draw(most_vcpus), 0, 0});
}

void GuestProperty::map() {
  const Vcpu* vcpu = loaded();
  const auto page = owned_page();
  if (vcpu == nullptr || !page) return;
  fill_memcache(vcpu->host->memory);
  const std::uint64_t pages = one_in(4) ? 1 + draw(4) : 1;
  for (std::uint64_t i = 0; i < pages; ++i)
    if (reaches(*page + (i << page_shift)))
      words(*page + (i << page_shift))[secret_at] = secret_word;
  const bool into_firmware = one_in(8);
  const std::uint64_t gfn =
      into_firmware ? (firmware_ipa >> page_shift) + draw(6) : first_gfn + draw(guest_pages);
  constexpr std::uint64_t rwx = 7;
  const Hypercall lend =
      vcpu->vm->is_protected ? Hypercall::pkvm_host_donate_guest : Hypercall::pkvm_host_share_guest;
  const Hypercall which = is_6_12() ? lend : Hypercall::pkvm_host_map_guest;
  const CallArguments arguments = which == Hypercall::pkvm_host_share_guest
                                      ? CallArguments{frame(*page), gfn, rwx, pages}
                                      : CallArguments{frame(*page), gfn, pages, rwx};
  if (good(call(which, arguments))) ++done.maps;
}

void GuestProperty::run() {
  const Vcpu* vcpu = loaded();
  if (vcpu == nullptr) return;
  vcpu->host->wish = static_cast<pkvm::EntryWish>(draw(4));
  vcpu->host->x[0] = random();
  const CallAnswer answer =
      call(Hypercall::kvm_vcpu_run, {reinterpret_cast<std::uint64_t>(vcpu->host), 0, 0, 0});
  // The host hears of it, and what it does with the page next is its own business.
  if (relinquished) look_at_relinquished(vcpu->context.general.regs[0]);
  if (answer.x1 == static_cast<std::uint64_t>(pkvm::GuestExit::trap)) ++done.runs;
}

void GuestProperty::end_vm() {
  const Vm* vm = any_vm();
  if (vm == nullptr || !one_in(3)) return;
  if (is_loaded(*vm)) call(Hypercall::pkvm_vcpu_put, {});
  const Hypercall which = vm->is_dying && one_in(2) ? Hypercall::pkvm_finalize_teardown_vm
                                                    : Hypercall::pkvm_start_teardown_vm;
  call(which, {vm->handle, 0, 0, 0});
}

void GuestProperty::take_back() {
  const Vm* vm = any_vm();
  if (vm == nullptr) return;
  const auto pages = pages_of_guest(*vm);
  if (pages.empty()) return;
  const GuestPage& page = pages[draw(pages.size())];
  const std::uint64_t pfn = frame(page.pa);
  if (!vm->is_dying && !is_6_1()) {
    call(is_6_12() ? Hypercall::pkvm_host_unshare_guest : Hypercall::pkvm_host_unmap_guest,
         is_6_12() ? CallArguments{vm->handle, page.gfn, 1, 0}
                   : CallArguments{vm->handle, pfn, page.gfn, 0});
    return;
  }
  const std::uint64_t place = is_6_1() ? page.gfn << page_shift : page.gfn;
  if (good(call(Hypercall::pkvm_reclaim_dying_guest_page, {vm->handle, pfn, place, 0})))
    ++done.reclaims;
}

/// A guest with enough pages to give some away.
void GuestProperty::begin_ffa() {
  make_vm();
  make_vcpu();
  load();
  for (int i = 0; i < 16; ++i)
    map();
}

void GuestProperty::share_or_unshare() {
  call(one_in(2) ? Hypercall::pkvm_host_share_hyp : Hypercall::pkvm_host_unshare_hyp,
       {frame(any_page()), 0, 0, 0});
}

void GuestProperty::sensible_step() {
  using Action = void (GuestProperty::*)();
  static constexpr auto actions = std::to_array<Action>(
      {&GuestProperty::make_vm, &GuestProperty::make_vcpu, &GuestProperty::make_vcpu,
       &GuestProperty::load, &GuestProperty::load, &GuestProperty::map, &GuestProperty::map,
       &GuestProperty::map, &GuestProperty::run, &GuestProperty::run, &GuestProperty::run,
       &GuestProperty::end_vm, &GuestProperty::take_back, &GuestProperty::take_back,
       &GuestProperty::share_or_unshare});
  (this->*actions.at(draw(actions.size())))();
}

std::uint64_t GuestProperty::absurd_value() {
  const Vm* vm = any_vm();
  switch (draw(14)) {
    case 0:
      return 0;
    case 1:
      return ~std::uint64_t{0};
    case 2:
      return random();
    case 3:
      return random() >> draw(64);
    case 4:
      return pkvm::first_vm_handle + draw(6);
    case 5:
      return vm == nullptr ? 1 : vm->handle;
    case 6:
      return frame(any_page());
    case 7:
      return kern(any_page()) + (one_in(2) ? 0 : draw(page_size));
    case 8:
      return first_gfn + draw(guest_pages);
    case 9:
      return (first_gfn + draw(guest_pages)) << page_shift;
    case 10:
      return frame(std::array{pool_begin, no_map_begin, uart, ram_end}.at(draw(4))) + draw(2);
    case 11:
      return kern(std::array{pool_begin, no_map_begin}.at(draw(2)));
    case 12:
      return vm == nullptr ? 2 : reinterpret_cast<std::uint64_t>(vm->host);
    default:
      return draw(10);
  }
}

/// The host writes what it likes into what it shares.
void GuestProperty::scribble() {
  const Vm* vm = any_vm();
  if (vm == nullptr) return;
  auto* const vcpus = reinterpret_cast<pkvm::HostVcpu*>(vm->host + 1);
  pkvm::HostVcpu& vcpu = vcpus[draw(most_vcpus)];
  switch (draw(7)) {
    case 0:
      vm->host->created_vcpus = absurd_value();
      return;
    case 1:
      vm->host->teardown = {.head = absurd_value(), .pages = absurd_value()};
      return;
    case 2:
      vcpu.index = absurd_value();
      return;
    case 3:
      vcpu.power = static_cast<pkvm::VcpuPower>(draw(3));
      return;
    case 4:
      vcpu.memory = {.head = absurd_value() << draw(13), .pages = draw(20)};
      return;
    case 5:
      vm->host->pvmfw_load_address = absurd_value();
      return;
    default:
      vm->host->is_protected ^= 1;
      return;
  }
}

void GuestProperty::absurd_step() {
  static constexpr auto calls =
      std::to_array<Hypercall>({Hypercall::pkvm_host_share_hyp,
                                Hypercall::pkvm_host_unshare_hyp,
                                Hypercall::pkvm_host_map_guest,
                                Hypercall::pkvm_host_unmap_guest,
                                Hypercall::pkvm_host_donate_guest,
                                Hypercall::pkvm_host_share_guest,
                                Hypercall::pkvm_host_unshare_guest,
                                Hypercall::kvm_vcpu_run,
                                Hypercall::pkvm_init_vm,
                                Hypercall::pkvm_init_vcpu,
                                Hypercall::pkvm_start_teardown_vm,
                                Hypercall::pkvm_finalize_teardown_vm,
                                Hypercall::pkvm_reclaim_dying_guest_page,
                                Hypercall::pkvm_vcpu_load,
                                Hypercall::pkvm_vcpu_put,
                                Hypercall::pkvm_vcpu_sync_state,
                                Hypercall::pkvm_hyp_alloc_mgt_refill,
                                Hypercall::pkvm_hyp_alloc_mgt_reclaimable,
                                Hypercall::pkvm_prot_finalize,
                                Hypercall::pkvm_reclaim_dying_guest_ffa_resources,
                                Hypercall::pkvm_map_module_page,
                                Hypercall::pkvm_create_private_mapping});
  const Hypercall which = calls.at(draw(calls.size()));
  CallArguments arguments{};
  for (std::uint64_t& argument : arguments)
    argument = absurd_value();
  if (which == Hypercall::pkvm_start_teardown_vm) {
    // Fatal by specification while a vCPU is loaded.
    const Vm* vm = hypervisor().vms.find(arguments[0]);
    if (vm != nullptr && is_loaded(*vm)) return;
  }
  if (which != Hypercall::pkvm_hyp_alloc_mgt_refill) {
    call(which, arguments);
    return;
  }
  constexpr std::size_t most_refilled = 8;
  if (refilled >= most_refilled) return;
  const std::size_t before = pages_of_hypervisor(lab->world());
  call(which, {draw(2), frame(any_page()) << page_shift, 1, 0});
  refilled += pages_of_hypervisor(lab->world()) - before;
}

void GuestProperty::look_at_relinquished(std::uint64_t answer) {
  if (relinquished && answer == 0 && words(*relinquished)[secret_at] != 0)
    broken = fmt::format("{:#x} was relinquished and is not zero", relinquished->value);
  relinquished.reset();
}

void GuestProperty::guest_calls(unsigned long long* general) {
  if (speaks_ffa && !one_in(8)) {
    make_ffa_call(random, *loaded()->vm, {.first = first_gfn, .count = guest_pages}, general);
    return;
  }
  namespace id = pkvm::guest_call;
  static constexpr auto calls = std::to_array<std::uint32_t>(
      {id::mem_share, id::mem_share, id::mem_unshare, id::mem_relinquish, id::mem_info,
       id::mmio_guard_enroll, id::mmio_guard_map, id::mmio_guard_unmap, id::vendor_features,
       pkvm::psci::cpu_on64, pkvm::psci::cpu_off, pkvm::psci::system_off,
       pkvm::psci::affinity_info64, pkvm::psci::features, pkvm::smccc::version_id});
  general[0] = one_in(16) ? random() : calls.at(draw(calls.size()));
  const bool a_page = general[0] >> 24 == id::mem_share >> 24;
  general[1] = a_page ? (first_gfn + draw(guest_pages)) << page_shift : draw(4);
  general[2] = general[3] = 0;
  if (one_in(16)) general[1 + draw(3)] = absurd_value();
  if (general[0] != id::mem_relinquish || general[2] != 0 || general[3] != 0) return;
  const auto pages = pages_of_guest(*loaded()->vm);
  const auto found = std::ranges::find(pages, general[1] >> page_shift, &GuestPage::gfn);
  if (found != pages.end() && general[1] % page_size == 0) relinquished = found->pa;
}

std::uint64_t GuestProperty::guest(unsigned long long* general) {
  constexpr std::uint64_t il = std::uint64_t{1} << 25;
  static constexpr auto classes =
      std::to_array<std::uint64_t>({0x01, 0x16, 0x16, 0x16, 0x16, 0x17, 0x18, 0x20, 0x24, 0x3C});
  ++done.entries;
  look_at_relinquished(general[0]);
  if (one_in(16)) return draw(3);  // an interrupt, an SError, or a trap with what is there
  constexpr std::uint64_t hvc = 0x16;
  const std::uint64_t exception =
      speaks_ffa && !one_in(16) ? hvc : classes.at(draw(classes.size()));
  arch::write<Sysreg::esr_el2>(exception << 26 | il | (random() & 0x1FF'FFFF));
  arch::write<Sysreg::far_el2>(random());
  arch::write<Sysreg::hpfar_el2>((first_gfn + draw(guest_pages)) << 4);
  if (exception == hvc) guest_calls(general);
  return static_cast<std::uint64_t>(pkvm::GuestExit::trap);
}

std::string GuestProperty::reclaim_all(const Vm& vm) {
  const bool is_protected = vm.is_protected;
  for (const GuestPage& page : pages_of_guest(vm)) {
    const std::uint64_t place = is_6_1() ? page.gfn << page_shift : page.gfn;
    if (!good(
            call(Hypercall::pkvm_reclaim_dying_guest_page, {vm.handle, frame(page.pa), place, 0})))
      return fmt::format("gfn {:#x} is not given back", page.gfn);
    ++done.reclaims;
    if (is_protected && words(page.pa)[secret_at] != 0)
      return fmt::format("{:#x} comes back with something in it", page.pa.value);
  }
  return {};
}

/// A transfer at a time, some of which EL3 refuses at first.
std::string GuestProperty::end_ffa(const Vm& vm) {
  if (!is_6_12()) return {};
  constexpr unsigned most = 1000;
  constexpr auto again = static_cast<std::uint64_t>(pkvm::negated(Errno::eagain));
  CallAnswer answer{.x0 = 0, .x1 = again};
  for (unsigned i = 0; i < most && answer.x1 == again; ++i)
    answer = call(Hypercall::pkvm_reclaim_dying_guest_ffa_resources, {vm.handle, 0, 0, 0});
  return good(answer) ? "" : "what is with the secure world does not come back";
}

std::string GuestProperty::tear_down_all() {
  call(Hypercall::pkvm_vcpu_put, {});
  for (const Vm* vm : all_vms()) {
    if (!vm->is_dying) call(Hypercall::pkvm_start_teardown_vm, {vm->handle, 0, 0, 0});
    if (std::string wrong = end_ffa(*vm); !wrong.empty()) return wrong;
    if (std::string wrong = reclaim_all(*vm); !wrong.empty()) return wrong;
    if (!good(call(Hypercall::pkvm_finalize_teardown_vm, {vm->handle, 0, 0, 0})))
      return "a tear-down is refused";
  }
  for (std::size_t n = 0; n < block_pages; ++n) {
    const Pa page = host_page(block_begin + n);
    if (state(page) == PageState::shared_owned &&
        !good(call(Hypercall::pkvm_host_unshare_hyp, {frame(page), 0, 0, 0})))
      return fmt::format("{:#x} stays shared", page.value);
  }
  const std::size_t lost = pages_of_hypervisor(lab->world()) - lab->heap_pages() - refilled;
  return lost == 0 ? "" : fmt::format("{} pages did not come back", lost);
}

std::string GuestProperty::run_sequence(bool looks_after_each) {
  steps.clear();
  relinquished.reset();
  speaks_ffa = is_6_12() && one_in(2);
  if (speaks_ffa) {
    begin_ffa();
  } else if (!one_in(4)) {
    make_vm();
    make_vcpu();
    if (one_in(2)) make_vm();
    make_vcpu();
    if (const Vm* vm = any_vm(); vm != nullptr)
      call(Hypercall::pkvm_vcpu_load, {vm->handle, 0, 0, 0});
  }
  for (unsigned i = 0; i < steps_in_sequence; ++i) {
    if (one_in(4))
      absurd_step();
    else if (one_in(12))
      scribble();
    else if (speaks_ffa && one_in(2))
      run();  // only a guest that runs can speak
    else
      sensible_step();
    if (!broken.empty()) return broken;
    const bool looks = looks_after_each || i + 1 == steps_in_sequence;
    if (std::string wrong = looks ? broken_invariant(lab->world()) : ""; !wrong.empty())
      return wrong;
  }
  if (std::string wrong = tear_down_all(); !wrong.empty()) return wrong;
  return broken_invariant(lab->world());
}

INSTANTIATE_TEST_SUITE_P(Generations, GuestProperty, testing::ValuesIn(pkvm::generations));

// No sequence of host calls gives a page two owners, loses one, or lets the host see a secret.
TEST_P(GuestProperty, NoSequenceBreaksAnInvariant) {
  constexpr std::uint64_t looks_closely = 64;
  seed = pkvmemu::test::random_seed();
  const std::uint64_t sequences = from_environment("PKVMEMU_GUEST_SEQUENCES", 2'000);
  random.seed(seed);
  for (sequence = 0; sequence < sequences; ++sequence) {
    if (sequence % sequences_in_world == sequences_in_world - 1) new_world();
    const std::string wrong = run_sequence(sequence % looks_closely == 0);
    ASSERT_TRUE(wrong.empty()) << wrong << "\n" << story();
  }
  fmt::print("{} calls: {} VMs, {} vCPUs, {} maps, {} runs with {} entries, {} pages reclaimed\n",
             done.calls, done.vms, done.vcpus, done.maps, done.runs, done.entries, done.reclaims);
  if (is_6_12()) EXPECT_GT(done.ffa + secure_counts().returned, sequences / 20) << "seed " << seed;
  // Sequences in which hardly anything succeeds would show nothing.
  for (const std::uint64_t count :
       {done.vms, done.vcpus, done.maps, done.runs, done.entries, done.reclaims})
    EXPECT_GT(count, sequences / 2) << "seed " << seed;
}

}  // namespace
}  // namespace pkvmemu::hyp::test
