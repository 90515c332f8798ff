// SPDX-License-Identifier: GPL-2.0-only
// The life of a VM at EL2 (pkvm-abi.md 9.3) and its pages (7.6), natively: each call's checks in
// their order, and what changes hands.
#include <gtest/gtest.h>

#include "hyp/vm/guest_memory.h"
#include "hyp/vm/life_cycle.h"
#include "hyp/vm/vcpu_run.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;

/// A host with one VM's worth of pages in 6.1's form, where all memory comes with the calls.
class VmTest : public testing::Test {
 protected:
  static constexpr Pa shared = host_page(1);
  static constexpr Pa storage = host_page(2);
  static constexpr Pa last_ran = host_page(3);
  static constexpr Pa root = host_page(4);
  static constexpr Pa vcpu_storage = host_page(6);
  static constexpr Pa first_table = host_page(8);
  static constexpr Pa guest_memory = host_page(16);
  static constexpr std::uint64_t gfn = 0x80000;

  World world{Generation::android14_6_1};

  VmTest() {
    arch::fake::state().reach = [](std::uint64_t pa) {
      return hypervisor().linear.hyp_va(Pa{pa}).value;
    };
    EXPECT_TRUE(world.ownership().host_share_hyp(frame(shared)));
    vm() = {.is_protected = 1,
            .created_vcpus = 1,
            .pvmfw_load_address = pkvm::no_pvmfw_address,
            .handle = 0,
            .teardown = {}};
    vcpu() = {};
  }
  pkvm::HostVm& vm() { return *world.hyp().linear.pointer<pkvm::HostVm>(shared); }
  pkvm::HostVcpu& vcpu() {
    return *world.hyp().linear.pointer<pkvm::HostVcpu>(shared + sizeof(pkvm::HostVm));
  }
  HypVa hyp_va(Pa pa) { return world.hyp().linear.hyp_va(pa); }

  Expected<std::uint32_t> make_vm() {
    return init_vm({.host_vm = hyp_va(shared),
                    .root = hyp_va(root),
                    .storage = hyp_va(storage),
                    .last_ran = hyp_va(last_ran)});
  }
  Status make_vcpu(std::uint64_t handle) {
    return init_vcpu({.handle = handle,
                      .host_vcpu = hyp_va(shared + sizeof(pkvm::HostVm)),
                      .storage = hyp_va(vcpu_storage)});
  }
  /// A VM with its vCPU loaded and two pages for tables.
  std::uint32_t running_vm() {
    const auto handle = make_vm();
    EXPECT_TRUE(handle);
    EXPECT_TRUE(make_vcpu(*handle));
    load_vcpu(*handle, 0, 0);
    pkvm::Memcache tables{.head = first_table.value, .pages = 2};
    *world.hyp().linear.pointer<std::uint64_t>(first_table) = (first_table + page_size).value;
    EXPECT_TRUE(loaded_vcpu()->vm->pool.refill(tables, 2, world.ownership()));
    return *handle;
  }
  bool host_reaches(Pa pa) { return world.ownership().host_state(pa) == PageState::owned; }
};

// A VM takes its memory from the host, has the first handle, and gives all of it back at the end.
TEST_F(VmTest, TakesItsMemoryAndGivesItBack) {
  const auto handle = make_vm();
  ASSERT_TRUE(handle);
  EXPECT_EQ(*handle, pkvm::first_vm_handle);
  ASSERT_TRUE(make_vcpu(*handle));
  for (const Pa page : {storage, last_ran, root, vcpu_storage})
    EXPECT_FALSE(host_reaches(page));
  ASSERT_TRUE(start_teardown_vm(*handle));
  ASSERT_TRUE(finalize_teardown_vm(*handle));
  for (const Pa page : {storage, last_ran, root, root + page_size, vcpu_storage})
    EXPECT_TRUE(host_reaches(page));
  EXPECT_EQ(vm().teardown.pages, 5U);
  EXPECT_EQ(to_int(start_teardown_vm(*handle)), -2) << "the handle is gone";
}

// A refused VM leaves the host with all it had: the structure is not shared, it has no vCPU, its
// root is not the host's.
TEST_F(VmTest, ARefusedVmChangesNothing) {
  vm().created_vcpus = 0;
  EXPECT_EQ(make_vm().error(), Errno::einval);
  vm().created_vcpus = 1;
  ASSERT_TRUE(world.ownership().host_share_hyp(frame(root)));
  EXPECT_EQ(make_vm().error(), Errno::enomem);
  EXPECT_TRUE(host_reaches(storage));
  EXPECT_TRUE(host_reaches(last_ran));
  ASSERT_TRUE(world.ownership().host_unshare_hyp(frame(root)));
  ASSERT_TRUE(world.ownership().host_unshare_hyp(frame(shared)));
  EXPECT_EQ(make_vm().error(), Errno::eperm);
}

// vCPUs come in the order of their indices, no more of them than the VM was made for, and of a VM
// that exists.
TEST_F(VmTest, VcpusAreChecked) {
  const auto handle = make_vm();
  ASSERT_TRUE(handle);
  EXPECT_EQ(to_int(make_vcpu(*handle + 1)), -2);
  vcpu().index = 1;
  EXPECT_EQ(to_int(make_vcpu(*handle)), -22);
  vcpu().index = 0;
  ASSERT_TRUE(make_vcpu(*handle));
  EXPECT_EQ(to_int(make_vcpu(*handle)), -12) << "its storage is not the host's any more";
}

// A donated page leaves the host, and comes back zeroed when the guest dies, not before.
TEST_F(VmTest, PagesComeBackZeroedFromADyingGuestOnly) {
  const std::uint32_t handle = running_vm();
  Vm& guest = *loaded_vcpu()->vm;
  auto* const words = world.hyp().linear.pointer<std::uint64_t>(guest_memory);
  words[0] = words[511] = 0x1234;
  ASSERT_TRUE(host_donate_guest(guest, {.pfn = frame(guest_memory), .gfn = gfn, .pages = 1}));
  EXPECT_EQ(words[511], 0x1234U) << "the host's contents go along";
  EXPECT_EQ(world.ownership().host_state(guest_memory), PageState::no_page);
  EXPECT_EQ(guest_state(guest, Ipa{gfn << page_shift}), PageState::owned);

  EXPECT_EQ(to_int(reclaim_dying_guest_page(handle, frame(guest_memory), gfn)), -22);
  put_vcpu();
  ASSERT_TRUE(start_teardown_vm(handle));
  EXPECT_EQ(to_int(finalize_teardown_vm(handle)), -16) << "a page is outstanding";
  EXPECT_EQ(to_int(reclaim_dying_guest_page(handle, frame(guest_memory) + 1, gfn)), -22);
  ASSERT_TRUE(reclaim_dying_guest_page(handle, frame(guest_memory), gfn));
  EXPECT_TRUE(host_reaches(guest_memory));
  EXPECT_EQ(words[0] | words[511], 0U);
  ASSERT_TRUE(finalize_teardown_vm(handle));
}

// A page cannot be given twice, nor where the guest has one, nor when the host does not own it.
TEST_F(VmTest, DonationsAreChecked) {
  running_vm();
  Vm& guest = *loaded_vcpu()->vm;
  ASSERT_TRUE(host_donate_guest(guest, {.pfn = frame(guest_memory), .gfn = gfn, .pages = 1}));
  const auto donate = [&](Pa page, std::uint64_t at) {
    return to_int(host_donate_guest(guest, {.pfn = frame(page), .gfn = at, .pages = 1}));
  };
  EXPECT_EQ(donate(guest_memory, gfn + 1), -1);
  EXPECT_EQ(donate(guest_memory + page_size, gfn), -1);
  EXPECT_EQ(donate(shared, gfn + 1), -1);
  EXPECT_EQ(donate(pool_begin, gfn + 1), -1);
  EXPECT_EQ(donate(no_map_begin, gfn + 1), -1);
  EXPECT_EQ(donate(uart, gfn + 1), -1);
}

// What the guest shares the host holds as borrowed, until the guest takes it back.
TEST_F(VmTest, TheGuestSharesAndTakesBack) {
  running_vm();
  Vm& guest = *loaded_vcpu()->vm;
  const Ipa page{gfn << page_shift};
  EXPECT_EQ(to_int(guest_share_host(guest, page)), -14) << "nothing is mapped there";
  ASSERT_TRUE(host_donate_guest(guest, {.pfn = frame(guest_memory), .gfn = gfn, .pages = 1}));
  ASSERT_TRUE(guest_share_host(guest, page));
  EXPECT_EQ(world.ownership().host_state(guest_memory), PageState::shared_borrowed);
  EXPECT_EQ(to_int(guest_share_host(guest, page)), -1);
  EXPECT_EQ(to_int(world.ownership().host_donate_hyp(frame(guest_memory), 1, Accept::memory_only,
                                                     prot_rw)),
            -1)
      << "borrowed pages are not the host's to give";
  ASSERT_TRUE(guest_unshare_host(guest, page));
  EXPECT_EQ(world.ownership().host_state(guest_memory), PageState::no_page);
  EXPECT_EQ(to_int(guest_unshare_host(guest, page)), -1);
}

/// Where a guest was entered, and how it exits.
struct Entry {
  std::uint64_t pc = 0;
  std::uint64_t hcr = 0;
  std::uint64_t exception = 0;  ///< its class
};
Entry entry;

std::uint64_t note_entry(unsigned long long* /*general*/) {
  constexpr std::uint64_t il = std::uint64_t{1} << 25;
  entry.pc = arch::read<arch::Sysreg::elr_el2>();
  entry.hcr = arch::read<arch::Sysreg::hcr_el2>();
  arch::write<arch::Sysreg::esr_el2>(entry.exception << 26 | il);
  return static_cast<std::uint64_t>(pkvm::GuestExit::trap);
}

constexpr std::uint64_t ec_wfx = 0x01;
constexpr std::uint64_t ec_instruction_abort = 0x20;
constexpr std::uint64_t ec_data_abort = 0x24;

// Only an abort's exit is followed by an abort that the host wishes: neither where a vCPU begins
// nor what it has in ELR_EL1 is the host's choice (pkvm-abi.md 9.4).
TEST_F(VmTest, TheHostsAbortFollowsAnAbort) {
  constexpr std::uint64_t start = 0x8000'0000;
  constexpr std::uint64_t vector = 0x200;  // VBAR_EL1 is 0 after a reset
  vcpu().pc = start;
  running_vm();
  arch::fake::state().guest = note_entry;
  const auto run_with_wish = [&](std::uint64_t exception) {
    vcpu().wish = pkvm::EntryWish::abort;
    entry = {.exception = exception};
    EXPECT_EQ(run_vcpu(*loaded_vcpu()), pkvm::GuestExit::trap);
    return entry.pc;
  };
  const auto class_at_el1 = [] {
    return loaded_vcpu()->context.el1.value[El1Registers::esr_el1] >> 26;
  };
  EXPECT_EQ(run_with_wish(ec_wfx), start);
  EXPECT_EQ(run_with_wish(ec_data_abort), start + 4);
  EXPECT_EQ(run_with_wish(ec_wfx), vector);
  EXPECT_EQ(class_at_el1(), 0x25U);
  EXPECT_EQ(run_with_wish(ec_instruction_abort), vector + 4);
  EXPECT_EQ(run_with_wish(ec_wfx), vector);
  EXPECT_EQ(class_at_el1(), 0x21U);
  // A reset, as by CPU_ON, forgets what its last exit was.
  run_with_wish(ec_data_abort);
  loaded_vcpu()->reset = VcpuReset{.pc = start, .x0 = 0};
  EXPECT_EQ(run_with_wish(ec_wfx), start);
}

// The host says with the load whether an ordinary guest's waits are trapped, and nothing else of
// HCR_EL2; a protected guest's always are (pkvm-abi.md 9.3).
TEST_F(VmTest, OfHcrTheHostHasTheWaitsOfOrdinaryGuests) {
  running_vm();
  arch::fake::state().guest = note_entry;
  const auto hcr_with = [&](bool is_protected, std::uint64_t wish) {
    put_vcpu();
    load_vcpu(pkvm::first_vm_handle, 0, wish);
    loaded_vcpu()->vm->is_protected = is_protected;
    entry = {.exception = ec_wfx};
    run_vcpu(*loaded_vcpu());
    return entry.hcr;
  };
  const std::uint64_t quiet = hcr_with(false, 0);
  EXPECT_EQ(quiet & pkvm::hcr_trap_waits, 0U);
  EXPECT_EQ(hcr_with(false, ~std::uint64_t{0}), quiet | pkvm::hcr_trap_waits);
  const std::uint64_t always = hcr_with(true, 0);
  EXPECT_EQ(always & pkvm::hcr_trap_waits, pkvm::hcr_trap_waits);
  EXPECT_EQ(hcr_with(true, ~std::uint64_t{0}), always);
}

// Vectors, keys and timers are a guest's own while it runs: it finds what it left, the host what
// the host left, and another run begins with zeros.
TEST_F(VmTest, VectorsKeysAndTimersChangeHands) {
  running_vm();
  entry = {.exception = ec_wfx};
  static arch::WorldRegisters found;
  arch::fake::state().guest = [](unsigned long long* general) {
    found = arch::fake::state().world;
    arch::fake::state().world = {
        .vectors = {1, 2}, .fpcr = 3, .fpsr = 4, .keys = {5}, .timers = {6}};
    return note_entry(general);
  };
  const arch::WorldRegisters hosts{
      .vectors = {10, 20}, .fpcr = 30, .fpsr = 40, .keys = {50}, .timers = {60}};
  arch::fake::state().world = hosts;
  run_vcpu(*loaded_vcpu());
  EXPECT_EQ(found, arch::WorldRegisters{});
  EXPECT_EQ(arch::fake::state().world, hosts);
  run_vcpu(*loaded_vcpu());
  EXPECT_EQ(found.keys[0], 5U);
  EXPECT_EQ(found.vectors[1], 2U);
  EXPECT_EQ(arch::fake::state().world, hosts);
}

// A vCPU that is off does not run, and one that is not loaded cannot.
TEST_F(VmTest, AStoppedVcpuDoesNotRun) {
  vcpu().power = pkvm::VcpuPower::stopped;
  const auto handle = make_vm();
  ASSERT_TRUE(handle);
  ASSERT_TRUE(make_vcpu(*handle));
  load_vcpu(*handle, 1, 0);
  EXPECT_EQ(loaded_vcpu(), nullptr);
  load_vcpu(*handle, 0, 0);
  ASSERT_NE(loaded_vcpu(), nullptr);
  EXPECT_EQ(run_vcpu(*loaded_vcpu()), pkvm::GuestExit::illegal);
  put_vcpu();
  EXPECT_EQ(loaded_vcpu(), nullptr);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
