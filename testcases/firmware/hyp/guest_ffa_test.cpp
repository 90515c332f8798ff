// SPDX-License-Identifier: GPL-2.0-only
// FF-A of a protected guest, natively (pkvm-abi.md 5.4, 9.3): what EL3 gets to see, what undoes a
// transfer, and what the host gets back when.
#include "hyp/vm/guest_ffa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "hyp/smc.h"
#include "hyp/vm/guest_memory.h"
#include "hyp/vm/life_cycle.h"
#include "hyp_window.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

namespace ffa = pkvm::ffa;
namespace layout = pkvm::ffa::descriptor;
using pkvm::Generation;
using testing::ElementsAre;
using testing::IsEmpty;

using Answer = std::array<std::uint64_t, 4>;

/// EL3: gives handles from 0x50 on, and keeps what was in its caller's buffer at a share.
struct SecureSide {
  std::vector<std::uint32_t> asked;
  std::vector<std::uint8_t> seen;
  std::uint64_t handle = 0x50;
  bool refuses = false;
  Pa tx{0};
};
SecureSide& secure() {
  static SecureSide instance;
  return instance;
}

void play(arch::SmcRegisters& x) {
  SecureSide& side = secure();
  const auto id = static_cast<std::uint32_t>(x[0]);
  side.asked.push_back(id);
  if (id == ffa::rxtx_map) side.tx = Pa{x[1]};
  const bool about_memory = id == ffa::mem_share || id == ffa::mem_reclaim;
  if (id == ffa::mem_share) {
    const auto* const bytes = hypervisor().linear.pointer<std::uint8_t>(side.tx);
    side.seen.assign(bytes, bytes + x[1]);
  }
  const std::uint64_t given = id == ffa::mem_share ? side.handle++ : 0;
  if (about_memory && side.refuses)
    std::ranges::copy(FfaProxy::failed(ffa::Error::denied), x.begin());
  else if (id == ffa::version)
    x[0] = ffa::version_1_1;
  else
    std::ranges::copy(Answer{ffa::success, 0, given, 0}, x.begin());
}

class GuestFfaTest : public testing::Test {
 protected:
  static constexpr Pa shared = host_page(1);
  static constexpr Pa root = host_page(4);
  static constexpr Pa first_table = host_page(8);
  static constexpr Pa guest_memory = host_page(16);
  static constexpr std::size_t first_heap_page = 64, heap_pages = 24;
  static constexpr std::uint64_t gfn = 0x80000, guest_pages = 6;
  static constexpr Ipa tx{gfn << page_shift}, rx{(gfn + 1) << page_shift};

  World world{Generation::android16_6_12};
  HypWindow window{world.backing()};
  std::uint32_t handle = 0;

  GuestFfaTest() {
    secure() = {};
    arch::fake::state().monitor = play;
    arch::fake::state().reach = [](std::uint64_t pa) {
      return hypervisor().linear.hyp_va(Pa{pa}).value;
    };
    host_smc(ffa::version, ffa::version_1_1);
    host_smc(ffa::rxtx_map, host_page(40).value, host_page(41).value, 1);
    fill_heap();
    make_guest();
    secure().asked.clear();
  }
  static Ipa memory(std::uint64_t n) { return Ipa{(gfn + 2 + n) << page_shift}; }
  static Pa pa(std::uint64_t n) { return guest_memory + ((2 + n) * page_size); }
  static Vm& vm() { return *loaded_vcpu()->vm; }

  static void host_smc(std::uint64_t id, std::uint64_t x1, std::uint64_t x2 = 0,
                       std::uint64_t x3 = 0) {
    user_pt_regs regs{};
    regs.regs[0] = id;
    regs.regs[1] = x1;
    regs.regs[2] = x2;
    regs.regs[3] = x3;
    handle_smc(&regs, 0);
  }
  void fill_heap() {
    Memcache cache;
    for (std::size_t i = 0; i < heap_pages; ++i) {
      const Pa page = host_page(first_heap_page + i);
      *world.hyp().linear.pointer<std::uint64_t>(page) = cache.head;
      cache.head = page.value;
      ++cache.blocks;
    }
    ASSERT_TRUE(world.hyp().heap->refill(cache));
  }
  void make_guest() {
    ASSERT_TRUE(world.ownership().host_share_hyp(frame(shared)));
    *world.hyp().linear.pointer<pkvm::HostVm>(shared) = {
        .is_protected = 1,
        .created_vcpus = 1,
        .pvmfw_load_address = pkvm::no_pvmfw_address,
        .handle = 0,
        .teardown = {},
        .ffa_allowed = 1};
    const Pa vcpu = shared + sizeof(pkvm::HostVm);
    *world.hyp().linear.pointer<pkvm::HostVcpu>(vcpu) = {};
    const auto hyp_va = [this](Pa at) { return world.hyp().linear.hyp_va(at); };
    const auto made = init_vm({.host_vm = hyp_va(shared),
                               .root = hyp_va(root),
                               .storage = HypVa{0},
                               .last_ran = HypVa{0}});
    ASSERT_TRUE(made);
    handle = *made;
    ASSERT_TRUE(init_vcpu({.handle = handle, .host_vcpu = hyp_va(vcpu), .storage = HypVa{0}}));
    load_vcpu(handle, 0, 0);
    pkvm::Memcache tables{.head = first_table.value, .pages = 2};
    *world.hyp().linear.pointer<std::uint64_t>(first_table) = (first_table + page_size).value;
    ASSERT_TRUE(vm().pool.refill(tables, 2, world.ownership()));
    ASSERT_TRUE(
        host_donate_guest(vm(), {.pfn = frame(guest_memory), .gfn = gfn, .pages = guest_pages}));
  }

  static Answer call(std::uint64_t id, std::uint64_t x1 = 0, std::uint64_t x2 = 0,
                     std::uint64_t x3 = 0) {
    Vcpu& vcpu = *loaded_vcpu();
    auto& x = vcpu.context.general.regs;
    x[0] = id;
    x[1] = x1;
    x[2] = x2;
    x[3] = x3;
    x[4] = 0;
    EXPECT_TRUE(is_guest_ffa_call(id));
    EXPECT_EQ(handle_guest_ffa(vcpu), Handled::resume);
    return {x[0], x[1], x[2], x[3]};
  }
  static void map_buffers() {
    ASSERT_EQ(call(ffa::rxtx_map, tx.value, rx.value, 1)[0], ffa::success);
  }

  struct Range {
    Ipa address;
    std::uint32_t pages;
  };
  /// In the guest's buffer.
  std::size_t write_descriptor(const std::vector<Range>& list, std::uint32_t said) {
    const std::size_t header = layout::header_size(ffa::version_1_1);
    const std::size_t composite = header + layout::receiver_size;
    const std::size_t ranges = composite + layout::composite_size;
    const std::span bytes(world.hyp().linear.pointer<std::uint8_t>(guest_memory), page_size);
    std::ranges::fill(bytes, std::uint8_t{0});
    ffa::put(bytes, layout::sender, static_cast<std::uint16_t>(handle));
    ffa::put(bytes, layout::receiver_count, std::uint32_t{1});
    ffa::put(bytes, header + layout::ranges_of_receiver, static_cast<std::uint32_t>(composite));
    ffa::put(bytes, composite + layout::composite_pages, said);
    ffa::put(bytes, composite + layout::composite_count, static_cast<std::uint32_t>(list.size()));
    for (std::size_t i = 0; i < list.size(); ++i) {
      ffa::put(bytes, ranges + (i * layout::range_size), list[i].address.value);
      ffa::put(bytes, ranges + (i * layout::range_size) + layout::range_pages, list[i].pages);
    }
    return ranges + (list.size() * layout::range_size);
  }
  Answer share(const std::vector<Range>& list, std::uint32_t said) {
    const std::size_t size = write_descriptor(list, said);
    return call(ffa::mem_share, size, size);
  }
  static PageState state(std::uint64_t n) { return guest_state(vm(), memory(n)); }
};

Answer ffa_error(ffa::Error error) {
  return FfaProxy::failed(error);
}

// EL3 sees a range for each page, with where it really lies, and the count of these.
TEST_F(GuestFfaTest, El3SeesPhysicalPages) {
  map_buffers();
  EXPECT_THAT(share({{memory(1), 2}, {memory(0), 1}}, 3), ElementsAre(ffa::success, 0, 0x50, 0));
  const std::size_t composite = layout::header_size(ffa::version_1_1) + layout::receiver_size;
  const std::span<const std::uint8_t> seen(secure().seen);
  ASSERT_EQ(seen.size(), composite + layout::composite_size + (3 * layout::range_size));
  EXPECT_EQ(ffa::field<std::uint32_t>(seen, composite + layout::composite_count), 3U);
  const std::size_t ranges = composite + layout::composite_size;
  for (const std::size_t i : {0U, 1U, 2U}) {
    const std::size_t at = ranges + (i * layout::range_size);
    EXPECT_EQ(ffa::field<std::uint64_t>(seen, at), pa((i + 1) % 3).value);
    EXPECT_EQ(ffa::field<std::uint64_t>(seen, at + layout::range_pages), 1U);
    EXPECT_EQ(state(i), PageState::shared_owned);
    EXPECT_EQ(world.ownership().host_state(pa(i)), PageState::no_page);
  }
  EXPECT_EQ(state(3), PageState::owned);
}

// Whatever stops a transfer leaves every page as it was: a list that does not add up or is too
// long, a page that is not the guest's, one named twice, no memory to note it, EL3's no.
TEST_F(GuestFfaTest, ARefusedTransferChangesNothing) {
  map_buffers();
  secure().asked.clear();
  const Answer invalid = ffa_error(ffa::Error::invalid_parameters);
  EXPECT_EQ(share({{memory(0), 2}}, 3), invalid);
  EXPECT_EQ(share({{memory(0), 300}}, 300), invalid);
  EXPECT_EQ(share({{memory(0), 0xffff'ffff}, {memory(0), 2}}, 1), invalid) << "it wraps";
  EXPECT_EQ(share({{memory(2), 3}}, 3), invalid) << "beyond its memory";
  EXPECT_EQ(share({{memory(0), 1}, {memory(0), 1}}, 2), ffa_error(ffa::Error::denied));
  EXPECT_EQ(share({{tx, 1}}, 1), ffa_error(ffa::Error::denied)) << "a buffer";
  EXPECT_THAT(secure().asked, IsEmpty());
  secure().refuses = true;
  EXPECT_EQ(share({{memory(0), 1}}, 1), ffa_error(ffa::Error::denied));
  for (const std::uint64_t n : {0U, 1U, 2U, 3U})
    EXPECT_EQ(state(n), PageState::owned) << n;
  EXPECT_EQ(vm().ffa.transfers, nullptr);
}

// What the secure world has of a guest is nobody's to take: not the host's by the guest's handle,
// nor by an unshare of the guest's; only by its handle, once.
TEST_F(GuestFfaTest, ATransferIsTheGuestsAlone) {
  map_buffers();
  share({{memory(0), 2}}, 2);
  secure().asked.clear();
  host_smc(ffa::mem_reclaim, 0x50);
  EXPECT_THAT(secure().asked, IsEmpty());
  EXPECT_EQ(to_int(guest_unshare_host(vm(), memory(0))), -1);
  EXPECT_EQ(call(ffa::mem_reclaim, 0x51), ffa_error(ffa::Error::invalid_parameters));
  EXPECT_EQ(call(ffa::mem_reclaim, 0x50)[0], ffa::success);
  EXPECT_EQ(state(0), PageState::owned);
  EXPECT_EQ(call(ffa::mem_reclaim, 0x50), ffa_error(ffa::Error::invalid_parameters));
}

// Of a dying guest the host gets back what is with nobody; the rest is busy until its transfers and
// buffers were taken back, one call for each transfer and one for the buffers.
TEST_F(GuestFfaTest, ADyingGuestsPagesAreBusyUntilReclaimed) {
  map_buffers();
  share({{memory(0), 1}}, 1);
  share({{memory(1), 1}}, 1);
  EXPECT_EQ(to_int(reclaim_guest_ffa(handle)), -22) << "it lives";
  put_vcpu();
  ASSERT_TRUE(start_teardown_vm(handle));
  const auto take = [this](std::uint64_t n) {
    return to_int(reclaim_dying_guest_page(handle, frame(guest_memory) + n, gfn + n));
  };
  for (const std::uint64_t n : {0U, 1U, 2U, 3U})
    EXPECT_EQ(take(n), -16) << n;
  EXPECT_EQ(take(4), 0);
  EXPECT_EQ(to_int(finalize_teardown_vm(handle)), -16);
  secure().refuses = true;
  EXPECT_EQ(to_int(reclaim_guest_ffa(handle)), -11);
  secure().refuses = false;
  EXPECT_EQ(take(3), -16) << "EL3 kept it";
  EXPECT_EQ(to_int(reclaim_guest_ffa(handle)), -11);
  EXPECT_EQ(to_int(reclaim_guest_ffa(handle)), -11);
  EXPECT_EQ(take(0), -16) << "a buffer";
  EXPECT_EQ(to_int(reclaim_guest_ffa(handle)), 0);
  for (const std::uint64_t n : {0U, 1U, 2U, 3U, 5U})
    EXPECT_EQ(take(n), 0) << n;
  EXPECT_EQ(to_int(finalize_teardown_vm(handle)), 0);
  EXPECT_EQ(to_int(reclaim_guest_ffa(handle)), -22);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
