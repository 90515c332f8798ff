// SPDX-License-Identifier: GPL-2.0-only
// What the hypervisor does for IOMMU drivers (pkvm-abi.md 1.6, 7.6, 7.9): pools, requests, domains,
// pages in use by devices, the mirror of what the host may reach, power, devices.
#include "hyp/iommu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "hyp/ops_iommu.h"
#include "hyp/ops_memory.h"
#include "hyp/page_ranges.h"
#include "hyp/vm/life_cycle.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;
using pkvm::Hypercall;

constexpr Pa page = host_page(64);
constexpr std::uint64_t pages_of_2_mib = 512;

/// What the driver of these tests was called for.
struct Heard {
  Pa begin;
  Pa end;
  int prot;
  bool operator==(const Heard&) const = default;
};
struct Driver {
  std::vector<Heard> told;
  std::vector<bool> completed;
  std::vector<std::pair<unsigned long, unsigned long>> synced;
  std::map<unsigned long, phys_addr_t> mapped;
  /// Pages after which mapping fails.
  std::size_t room = ~std::size_t{0};
  int power_result = 0;
  unsigned suspended = 0;
  int init_result = 0;
  int allocating_result = 0;
};
Driver driver;

void hear(kvm_hyp_iommu_domain* /*domain*/, phys_addr_t start, phys_addr_t end, int prot) {
  driver.told.push_back({Pa{start}, Pa{end}, prot});
}
void complete(bool map) {
  driver.completed.push_back(map);
}
void note_sync(kvm_hyp_iommu_domain* /*domain*/, iommu_iotlb_gather* gather) {
  driver.synced.emplace_back(gather->start, gather->end);
}
int map_pages(kvm_hyp_iommu_domain* /*domain*/, unsigned long iova, phys_addr_t paddr,
              size_t pgsize, size_t pgcount, int /*prot*/, size_t* total_mapped) {
  for (size_t i = 0; i < pgcount; ++i) {
    if (driver.mapped.size() == driver.room) return -12;
    driver.mapped[iova + (i * pgsize)] = paddr + (i * pgsize);
    *total_mapped += pgsize;
  }
  return 0;
}
size_t unmap_into_cache(kvm_hyp_iommu_domain* domain, unsigned long iova, size_t pgsize,
                        size_t pgcount, iommu_iotlb_gather* gather, kvm_iommu_paddr_cache* cache) {
  size_t done = 0;
  for (; pgcount-- != 0 && driver.mapped.contains(iova + done); done += pgsize) {
    cache->paddr[cache->ptr] = driver.mapped.at(iova + done);
    cache->pgsize[cache->ptr++] = pgsize;
    driver.mapped.erase(iova + done);
    ops::iommu_iotlb_gather_add_page(domain, gather, iova + done, pgsize);
  }
  return done;
}
size_t unmap_and_let_go(kvm_hyp_iommu_domain* /*domain*/, unsigned long iova, size_t pgsize,
                        size_t pgcount, iommu_iotlb_gather* /*gather*/) {
  size_t done = 0;
  for (; pgcount-- != 0 && driver.mapped.contains(iova + done); done += pgsize) {
    EXPECT_EQ(ops::pkvm_unuse_dma(Pa{driver.mapped.at(iova + done)}, pgsize), 0);
    driver.mapped.erase(iova + done);
  }
  return done;
}
phys_addr_t iova_to_phys(kvm_hyp_iommu_domain* /*domain*/, unsigned long iova) {
  const auto found = driver.mapped.find(iova);
  return found == driver.mapped.end() ? 0 : found->second;
}
int alloc_domain(kvm_hyp_iommu_domain* /*domain*/, int /*type*/) {
  return driver.allocating_result;
}
int suspend(kvm_hyp_iommu* /*iommu*/) {
  ++driver.suspended;
  return driver.power_result;
}
alignas(8) std::array<std::byte, 96> device{};
kvm_hyp_iommu* device_pointer() {
  return reinterpret_cast<kvm_hyp_iommu*>(device.data());
}
kvm_hyp_iommu* get_iommu_by_id(pkvm_handle_t id) {
  return id == 0 ? device_pointer() : nullptr;
}

/// A world with that driver, through the calls of the host.
class IommuTest : public testing::TestWithParam<Generation> {
 protected:
  explicit IommuTest(PaRange cma = {Pa{0}, Pa{0}}) : world(GetParam(), cma) {
    driver = {};
    device = {};
    ops_6_6.alloc_domain = ops_6_12.alloc_domain = alloc_domain;
    ops_6_6.get_iommu_by_id = ops_6_12.get_iommu_by_id = get_iommu_by_id;
    ops_6_6.map_pages = ops_6_12.map_pages = map_pages;
    ops_6_6.unmap_pages = unmap_into_cache;
    ops_6_12.unmap_pages = unmap_and_let_go;
    ops_6_6.iova_to_phys = ops_6_12.iova_to_phys = iova_to_phys;
    ops_6_6.iotlb_sync = ops_6_12.iotlb_sync = note_sync;
    ops_6_6.host_stage2_idmap = ops_6_12.host_stage2_idmap = hear;
    ops_6_12.host_stage2_idmap_complete = complete;
    ops_6_6.suspend = ops_6_12.suspend = suspend;
    EXPECT_EQ(result(Hypercall::pkvm_iommu_init, {driver_ops(), 0, 0, 0}), 0);
  }
  static bool is_6_12() { return GetParam() == Generation::android16_6_12; }
  u64 driver_ops() {
    return is_6_12() ? reinterpret_cast<u64>(&ops_6_12) : reinterpret_cast<u64>(&ops_6_6);
  }

  user_pt_regs call(Hypercall name, std::initializer_list<u64> arguments) {
    user_pt_regs regs{};
    regs.regs[0] = pkvm::smccc::kvm_host_id(*pkvm::hypercall_number(GetParam(), name));
    std::size_t i = 1;
    for (const u64 argument : arguments)
      regs.regs[i++] = argument;
    world.hyp().dispatcher.handle(&regs, world.hyp().modules);
    return regs;
  }
  std::int64_t result(Hypercall name, std::initializer_list<u64> arguments) {
    return static_cast<std::int64_t>(call(name, arguments).regs[1]);
  }
  /// One block from the host, with nothing behind it.
  std::int64_t refill(Pa block, unsigned order) {
    *world.hyp().linear.pointer<u64>(block) = 0;
    return result(Hypercall::pkvm_hyp_alloc_mgt_refill, {1, block.value | order, 1});
  }
  void* donate(unsigned order) {
    return ops::iommu_donate_pages(order, OnFailure::ask_host, Caching::cached);
  }
  void reclaim(void* block, unsigned order) {
    ops::iommu_reclaim_pages(HypVa{reinterpret_cast<u64>(block)}, order);
  }
  Pa pa_of(void* block) { return world.hyp().linear.pa_of_pointer(block); }
  kvm_hyp_req take_request() { return world.hyp().iommu_pools->requests().take(0); }
  void make_domain(u64 id) {
    ASSERT_EQ(refill(host_page(200), 0), 0);
    ASSERT_EQ(result(Hypercall::pkvm_host_iommu_alloc_domain, {id, 0}), 0);
  }
  std::uint16_t references(Pa pa) { return world.page(pa).refcount; }

  World world;
  kvm_iommu_ops_6_6 ops_6_6 = hyp_null_iommu_ops_6_6;
  kvm_iommu_ops_6_12 ops_6_12 = hyp_null_iommu_ops_6_12;
};

std::string name_of(const testing::TestParamInfo<Generation>& instance) {
  return instance.param == Generation::android15_6_6 ? "android15_6_6" : "android16_6_12";
}
INSTANTIATE_TEST_SUITE_P(Generations, IommuTest,
                         testing::Values(Generation::android15_6_6, Generation::android16_6_12),
                         name_of);

// Pages come zeroed and aligned to their size, from what the host brought, which it has no longer.
TEST_P(IommuTest, PagesComeFromTheHost) {
  std::fill_n(world.hyp().linear.pointer<std::byte>(page), 4 * page_size, std::byte{0x5A});
  ASSERT_EQ(refill(page, 2), 0);
  EXPECT_FALSE(is_valid(world.host().leaf(page).descriptor));
  void* const two = donate(1);
  ASSERT_NE(two, nullptr);
  EXPECT_TRUE(is_aligned(pa_of(two).value, 2 * page_size));
  const std::span bytes(static_cast<std::byte*>(two), 2 * page_size);
  EXPECT_TRUE(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_NE(donate(0), nullptr);
  EXPECT_NE(donate(0), nullptr);
  EXPECT_EQ(donate(0), nullptr) << "four pages in all";
}

// What was returned becomes one block again, whatever the order of returns.
TEST_P(IommuTest, BuddiesMeetAgain) {
  ASSERT_EQ(refill(page, 3), 0);
  std::array<void*, 8> single{};
  for (void*& block : single)
    block = donate(0);
  for (const std::size_t i : {3U, 0U, 7U, 5U, 1U, 6U, 2U, 4U}) {
    EXPECT_EQ(donate(3), nullptr);
    take_request();
    reclaim(single.at(i), 0);
  }
  EXPECT_NE(donate(3), nullptr);
}

// Without pages: NULL, and the host is asked for one block of that size; a request that waits is
// not replaced.
TEST_P(IommuTest, NoPagesIsARequest) {
  EXPECT_EQ(donate(2), nullptr);
  EXPECT_EQ(donate(0), nullptr);
  const kvm_hyp_req request = take_request();
  EXPECT_EQ(request.type, 1);
  EXPECT_EQ(request.dest, 3);
  EXPECT_EQ(request.nr_pages, 1);
  EXPECT_EQ(request.sz_alloc, static_cast<int>(4 * page_size));
  EXPECT_EQ(take_request().type, 0) << "it is taken once";
  EXPECT_EQ(ops::iommu_donate_pages(0, OnFailure::just_fail, Caching::cached), nullptr);
  EXPECT_EQ(take_request().type, 0);
}

// iommu_request: one at a time.
TEST_P(IommuTest, OneRequestWaits) {
  kvm_hyp_req request{};
  request.type = 2;
  EXPECT_EQ(ops::iommu_request(request), 0);
  EXPECT_EQ(ops::iommu_request(request), -16);
  EXPECT_EQ(take_request().type, 2);
  EXPECT_EQ(ops::iommu_request(request), 0);
}

// The atomic pool has the pages of iommu_init alone, and only 6.12 asks the host for more.
TEST_P(IommuTest, AtomicPagesComeWithTheDriver) {
  ASSERT_EQ(refill(page, 0), 0);
  EXPECT_EQ(ops::iommu_donate_pages_atomic(0), nullptr);
  EXPECT_EQ(take_request().type, is_6_12() ? 1 : 0);
  const Pa atomic = host_page(80);
  ASSERT_EQ(result(Hypercall::pkvm_iommu_init, {driver_ops(), atomic.value, 1, 0}), 0);
  void* const block = ops::iommu_donate_pages_atomic(0);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(pa_of(block), atomic);
  reclaim(block, 0);
  EXPECT_EQ(world.hyp().iommu_pools->atomic_pages(), 1U);
}

// Returning what is not out, or with another size, is a bug of the driver's.
TEST_P(IommuTest, WrongReturnsAreFatal) {
  ASSERT_EQ(refill(page, 1), 0);
  void* const block = donate(0);
  EXPECT_DEATH(reclaim(block, 1), "");
  reclaim(block, 0);
  EXPECT_DEATH(reclaim(block, 0), "");
}

// NOCACHE: the alias is normal non-cacheable while the pages are out.
TEST_P(IommuTest, UncachedPages) {
  ASSERT_EQ(refill(page, 1), 0);
  const auto index = [&] { return bits(world.space().linear_leaf(page).descriptor.value, 4, 2); };
  void* const block = ops::iommu_donate_pages(1, OnFailure::ask_host, Caching::uncached);
  ASSERT_EQ(pa_of(block), page);
  EXPECT_EQ(index(), 2U);
  reclaim(block, 1);
  EXPECT_EQ(index(), 0U);
}

// Idle pages of the pool go back to the host with those of the heap.
TEST_P(IommuTest, IdlePagesComeBack) {
  ASSERT_EQ(refill(page, 2), 0);
  void* const out = donate(0);
  EXPECT_EQ(result(Hypercall::pkvm_hyp_alloc_mgt_reclaimable, {}), 3);
  const user_pt_regs regs = call(Hypercall::pkvm_hyp_alloc_mgt_reclaim, {2});
  EXPECT_EQ(regs.regs[2], 2U);
  EXPECT_EQ(result(Hypercall::pkvm_hyp_alloc_mgt_reclaimable, {}), 1);
  const Pa head{align_down(regs.regs[1], page_size)};
  EXPECT_EQ(world.page(head).host_state, PageState::owned);
  EXPECT_TRUE(is_valid(world.host().leaf(head).descriptor) || !is_6_12());
  EXPECT_NE(pa_of(out), head);
}

// A domain's page has to be asked for; the answer of the call carries the request.
TEST_P(IommuTest, DomainsAskForTheirPage) {
  const user_pt_regs refused = call(Hypercall::pkvm_host_iommu_alloc_domain, {5, 0});
  EXPECT_EQ(static_cast<std::int64_t>(refused.regs[1]), -12);
  EXPECT_EQ(refused.regs[2], 0x301U) << "memory, for the IOMMU";
  EXPECT_EQ(refused.regs[3], std::uint64_t{4096} << 32 | 1);
  ASSERT_EQ(refill(page, 0), 0);
  const user_pt_regs made = call(Hypercall::pkvm_host_iommu_alloc_domain, {5, 0});
  EXPECT_EQ(made.regs[1], 0U);
  EXPECT_EQ(made.regs[2], 0U);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_alloc_domain, {5, 0}), -22) << "it is there";
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_free_domain, {6}), -22);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_free_domain, {5}), 0);
}

// 6.12 keeps the upper half of the ids from the host.
TEST_P(IommuTest, HostHasItsDomainIds) {
  ASSERT_EQ(refill(page, 1), 0);
  const auto make = [&](u64 id) {
    return result(Hypercall::pkvm_host_iommu_alloc_domain, {id, 0});
  };
  EXPECT_EQ(make(0x7FFF), 0);
  EXPECT_EQ(make(0x8000), is_6_12() ? -22 : 0);
  EXPECT_EQ(make(0x1'0000), -22);
}

// A device keeps its domain from being freed; unknown devices and domains are -EINVAL.
TEST_P(IommuTest, DevicesHoldTheirDomain) {
  make_domain(1);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_attach_dev, {0, 2, 0, 0}), -22);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_attach_dev, {9, 1, 0, 0}), -22);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_detach_dev, {0, 1, 0, 0}), -22);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_attach_dev, {0, 1, 0, 0}), 0);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_free_domain, {1}), -16);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_detach_dev, {0, 1, 0, 0}), 0);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_free_domain, {1}), 0);
}

// Mapped pages are in use: they can be neither shared nor donated until they are unmapped.
TEST_P(IommuTest, MappedPagesAreInUse) {
  make_domain(1);
  ASSERT_EQ(result(Hypercall::pkvm_host_iommu_map_pages, {1, 0x10000, page.value, page_size, 2, 3}),
            static_cast<std::int64_t>(2 * page_size));
  EXPECT_EQ(references(page), 1);
  EXPECT_EQ(to_int(world.ownership().host_share_hyp(frame(page))), -22);
  EXPECT_EQ(to_int(world.ownership().host_donate_hyp(frame(page), 1, Accept::memory_only, prot_rw)),
            -22);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_iova_to_phys, {1, 0x11000}),
            static_cast<std::int64_t>((page + page_size).value));
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_unmap_pages, {1, 0x10000, page_size, 2}),
            static_cast<std::int64_t>(2 * page_size));
  EXPECT_EQ(references(page), 0);
  EXPECT_EQ(to_int(world.ownership().host_share_hyp(frame(page))), 0);
}

// More pages than the cache names are unmapped in turns (6.6); every one is let go of.
TEST_P(IommuTest, ManyPagesAreUnmapped) {
  make_domain(1);
  constexpr u64 count = 600;
  const Pa many = host_page(300);
  ASSERT_EQ(result(Hypercall::pkvm_host_iommu_map_pages, {1, 0, many.value, page_size, count, 3}),
            static_cast<std::int64_t>(count * page_size));
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_unmap_pages, {1, 0, page_size, count}),
            static_cast<std::int64_t>(count * page_size));
  for (u64 i = 0; i < count; ++i)
    EXPECT_EQ(references(many + (i * page_size)), 0) << i;
}

// What the driver did not map is not in use.
TEST_P(IommuTest, HalfAMappingIsHalfInUse) {
  make_domain(1);
  driver.room = 1;
  const user_pt_regs regs =
      call(Hypercall::pkvm_host_iommu_map_pages, {1, 0, page.value, page_size, 2, 3});
  EXPECT_EQ(regs.regs[1], page_size);
  EXPECT_EQ(static_cast<std::int64_t>(regs.regs[0]), is_6_12() ? -12 : 0);
  EXPECT_EQ(references(page), 1);
  EXPECT_EQ(references(page + page_size), 0);
}

// Only what the host has may be mapped, whole pages, inside the address space.
TEST_P(IommuTest, MappingIsChecked) {
  make_domain(1);
  const auto error_of = [&](std::initializer_list<u64> arguments) {
    const user_pt_regs regs = call(Hypercall::pkvm_host_iommu_map_pages, arguments);
    EXPECT_EQ(regs.regs[1], 0U);
    return static_cast<std::int64_t>(regs.regs[0]);
  };
  const int refused = is_6_12() ? -1 : 0;
  const int wrong = is_6_12() ? -22 : 0;
  EXPECT_EQ(error_of({1, 0, pool_begin.value, page_size, 1, 3}), refused);
  EXPECT_EQ(error_of({1, 0, no_map_begin.value, page_size, 1, 3}), refused);
  EXPECT_EQ(error_of({2, 0, page.value, page_size, 1, 3}), wrong);
  EXPECT_EQ(error_of({1, 0, page.value + 8, page_size, 1, 3}), wrong);
  EXPECT_EQ(error_of({1, 0, page.value, 0x800, 1, 3}), wrong);
  EXPECT_EQ(error_of({1, 0, page.value, page_size, ~u64{0}, 3}), wrong);
  EXPECT_TRUE(driver.mapped.empty());
}

// MMIO that a device reaches is marked, and no longer the host's to give.
TEST_P(IommuTest, MmioIsMarked) {
  make_domain(1);
  ASSERT_EQ(result(Hypercall::pkvm_host_iommu_map_pages, {1, 0, uart.value, page_size, 1, 3}),
            static_cast<std::int64_t>(page_size));
  EXPECT_EQ(world.ownership().host_state(uart), PageState::tainted);
  EXPECT_EQ(
      to_int(world.ownership().host_donate_hyp(frame(uart), 1, Accept::memory_or_mmio, prot_rw)),
      -1);
  EXPECT_EQ(result(Hypercall::pkvm_host_iommu_unmap_pages, {1, 0, page_size, 1}),
            static_cast<std::int64_t>(page_size));
  EXPECT_EQ(world.ownership().host_state(uart), PageState::tainted);
}

// pkvm_unuse_dma: whole pages that a device uses, and nobody else's.
TEST_P(IommuTest, LettingGoIsChecked) {
  EXPECT_EQ(ops::pkvm_unuse_dma(page, page_size), -22) << "not in use";
  EXPECT_EQ(ops::pkvm_unuse_dma(page + 8, page_size), -22);
  EXPECT_EQ(ops::pkvm_unuse_dma(pool_begin, page_size), -1) << "the hypervisor's";
  ASSERT_EQ(to_int(world.ownership().host_use_dma({page, page + page_size})), 0);
  EXPECT_EQ(ops::pkvm_unuse_dma(page, 2 * page_size), -22) << "the second page is not";
  EXPECT_EQ(references(page), 1) << "checked before anything changes";
  EXPECT_EQ(ops::pkvm_unuse_dma(page, page_size), 0);
}

// As many uses as the counter has, and then no more.
TEST_P(IommuTest, UsesAreBounded) {
  world.page(page).refcount = 0xFFFF;
  EXPECT_EQ(to_int(world.ownership().host_use_dma({page, page + page_size})), -16);
}

// A cache that names a page which nobody uses is a bug of the driver's; a good one is emptied.
TEST_P(IommuTest, CachesAreFlushed) {
  ASSERT_EQ(to_int(world.ownership().host_use_dma({page, page + (3 * page_size)})), 0);
  auto cache = std::make_unique<kvm_iommu_paddr_cache>();
  cache->paddr[0] = page.value;
  cache->pgsize[0] = page_size;
  cache->paddr[1] = (page + page_size).value;
  cache->pgsize[1] = 2 * page_size;
  cache->ptr = 2;
  ops::iommu_flush_unmap_cache(cache.get());
  EXPECT_EQ(cache->ptr, 0);
  EXPECT_EQ(references(page + (2 * page_size)), 0);
  cache->ptr = 1;
  EXPECT_DEATH(ops::iommu_flush_unmap_cache(cache.get()), "");
}

// Ranges that touch become one; another page size or a gap is synced first.
TEST_P(IommuTest, GatherExtends) {
  iommu_iotlb_gather gather{};
  forget(gather);
  const auto add = [&](std::uint64_t iova, std::uint64_t size) {
    ops::iommu_iotlb_gather_add_page(nullptr, &gather, iova, size);
  };
  add(0x2000, 0x1000);
  add(0x3000, 0x1000);
  add(0x1000, 0x1000);
  EXPECT_TRUE(driver.synced.empty());
  EXPECT_EQ(gather.start, 0x1000U);
  EXPECT_EQ(gather.end, 0x3FFFU);
  add(0x8000, 0x1000);
  ASSERT_EQ(driver.synced.size(), 1U) << "a gap";
  EXPECT_EQ(driver.synced[0], std::pair(0x1000UL, 0x3FFFUL));
  EXPECT_EQ(gather.start, 0x8000U);
  add(0x20'0000, 0x20'0000);
  ASSERT_EQ(driver.synced.size(), 2U) << "another page size";
  EXPECT_EQ(gather.pgsize, 0x20'0000U);
}

// The snapshot tells of all RAM of the host's, by leaves, and of nothing that is not the host's.
TEST_P(IommuTest, SnapshotReplaysTheHost) {
  ASSERT_TRUE(world.ownership().host_donate_hyp(frame(page), 1, Accept::memory_only, prot_rw));
  EXPECT_TRUE(driver.told.empty()) << "before the snapshot nobody hears anything";
  kvm_hyp_iommu_domain domain{};
  EXPECT_EQ(ops::iommu_snapshot_host_stage2(&domain), 0);
  std::uint64_t bytes = 0;
  for (const Heard& heard : driver.told) {
    EXPECT_EQ(heard.prot, 3);
    bytes += heard.end - heard.begin;
    EXPECT_FALSE((PaRange{heard.begin, heard.end}).contains(page));
    EXPECT_LE(heard.end, pool_begin);
  }
  EXPECT_EQ(bytes, (6 * mib) - page_size);
}

// From the snapshot on, changes are told: what is given away, what comes back, MMIO on demand.
TEST_P(IommuTest, ChangesAreMirrored) {
  kvm_hyp_iommu_domain domain{};
  ASSERT_EQ(ops::iommu_snapshot_host_stage2(&domain), 0);
  const auto heard_of = [&](auto change) {
    driver.told.clear();
    driver.completed.clear();
    change();
    return driver.told;
  };
  using List = std::vector<Heard>;
  Ownership& owners = world.ownership();
  const Pa end = page + page_size;
  EXPECT_EQ(heard_of([&] {
              ASSERT_TRUE(owners.host_donate_hyp(frame(page), 1, Accept::memory_only, prot_rw));
            }),
            (List{{page, end, 0}}));
  EXPECT_EQ(driver.completed, is_6_12() ? std::vector<bool>{false} : std::vector<bool>{});
  EXPECT_EQ(heard_of([&] { ASSERT_TRUE(owners.hyp_donate_host(frame(page), 1)); }),
            (List{{page, end, 3}}));
  EXPECT_EQ(driver.completed, is_6_12() ? std::vector<bool>{true} : std::vector<bool>{});
  EXPECT_EQ(heard_of([&] { ASSERT_TRUE(owners.host_share_hyp(frame(page))); }), List{});
  const auto mmio = heard_of([&] { ASSERT_TRUE(world.host().handle_fault(uart)); });
  ASSERT_EQ(mmio.size(), 1U);
  EXPECT_EQ(mmio[0].prot, 19) << "read, write, MMIO";
  EXPECT_TRUE((PaRange{mmio[0].begin, mmio[0].end}).contains(uart));
}

// update_iommu decides about changes of permission.
TEST_P(IommuTest, PermissionsAreMirroredWhenAsked) {
  kvm_hyp_iommu_domain domain{};
  ASSERT_EQ(ops::iommu_snapshot_host_stage2(&domain), 0);
  driver.told.clear();
  EXPECT_EQ(ops::host_stage2_mod_prot(frame(page), prot_ro, 1, UpdateIommu::no), 0);
  EXPECT_TRUE(driver.told.empty());
  const auto prot_after = [&](Prot prot) {
    driver.told.clear();
    EXPECT_EQ(ops::host_stage2_mod_prot(frame(page), prot, 1, UpdateIommu::yes), 0);
    return driver.told.size() == 1 ? driver.told[0].prot : -1;
  };
  EXPECT_EQ(prot_after(Prot{}), 0);
  EXPECT_EQ(prot_after(prot_ro), 1);
  EXPECT_EQ(prot_after(prot_rwx), 3);
}

// The fields of kvm_hyp_iommu where the generation has them; ids up to 31; no other types.
TEST_P(IommuTest, DevicesAreInitialised) {
  const auto put = [&]<typename Type>(std::size_t offset, Type value) {
    std::memcpy(device.data() + offset, &value, sizeof(value));
  };
  const std::size_t power = is_6_12() ? 8 : 0;
  put(is_6_12() ? 0 : 16, std::uint32_t{0x1234});
  put(power, 0);
  EXPECT_EQ(ops::iommu_init_device(device_pointer()), 0);
  EXPECT_EQ(device.at(is_6_12() ? 0 : 16), std::byte{0}) << "the lock is free";
  put(power, 1);
  put(power + 8, std::uint64_t{32});
  EXPECT_EQ(ops::iommu_init_device(device_pointer()), -7);
  put(power + 8, std::uint64_t{31});
  EXPECT_EQ(ops::iommu_init_device(device_pointer()), 0);
  for (const int unknown : {is_6_12() ? 3 : 2, 4}) {
    put(power, unknown);
    EXPECT_EQ(ops::iommu_init_device(device_pointer()), -95) << unknown;
  }
}

// The host switches the power of a device that said so; a driver that refuses leaves it as it was.
TEST_P(IommuTest, PowerIsSwitched) {
  const int host_hvc = 1;
  std::memcpy(device.data() + (is_6_12() ? 8 : 0), &host_hvc, sizeof(host_hvc));
  if (!is_6_12()) device.at(8) = std::byte{7};
  if (is_6_12()) device.at(16) = std::byte{7};
  ASSERT_EQ(ops::iommu_init_device(device_pointer()), 0);
  const std::size_t is_off = is_6_12() ? 56 : 20;
  EXPECT_EQ(result(Hypercall::pkvm_host_hvc_pd, {6, 0}), -22) << "nobody's";
  EXPECT_EQ(result(Hypercall::pkvm_host_hvc_pd, {40, 0}), -22);
  EXPECT_EQ(result(Hypercall::pkvm_host_hvc_pd, {7, 0}), 0);
  EXPECT_EQ(driver.suspended, 1U);
  EXPECT_EQ(device.at(is_off), std::byte{1});
  EXPECT_EQ(result(Hypercall::pkvm_host_hvc_pd, {7, 1}), 0);
  EXPECT_EQ(device.at(is_off), std::byte{0});
  driver.power_result = -5;
  EXPECT_EQ(result(Hypercall::pkvm_host_hvc_pd, {7, 0}), -5);
  EXPECT_EQ(device.at(is_off), std::byte{0});
}

class CmaTest : public IommuTest {
 protected:
  // The upper half of the host's memory.
  CmaTest() : IommuTest({ram_begin + (2 * mib), ram_begin + (4 * mib)}) {}
};
INSTANTIATE_TEST_SUITE_P(Generations, CmaTest, testing::Values(Generation::android15_6_6), name_of);

// Blocks of the CMA window are used first, and come back to the host as a whole only.
TEST_P(CmaTest, BlocksAreUsedFirst) {
  const Pa block = ram_begin + (2 * mib);
  ASSERT_EQ(refill(page, 0), 0);
  ASSERT_EQ(refill(block, 9), 0);
  void* const from_block = donate(0);
  EXPECT_EQ(pa_of(from_block), block);
  EXPECT_EQ(result(Hypercall::pkvm_hyp_alloc_mgt_reclaimable, {}), 1) << "a block is not whole";
  reclaim(from_block, 0);
  EXPECT_EQ(result(Hypercall::pkvm_hyp_alloc_mgt_reclaimable, {}),
            static_cast<std::int64_t>(pages_of_2_mib + 1));
  const user_pt_regs regs = call(Hypercall::pkvm_hyp_alloc_mgt_reclaim, {pages_of_2_mib + 1});
  EXPECT_EQ(regs.regs[1], block.value | 9);
  EXPECT_EQ(regs.regs[2], 2U);
}

// When the blocks are used up, the system pool serves.
TEST_P(CmaTest, ThenTheSystemPool) {
  ASSERT_EQ(refill(ram_begin + (2 * mib), 9), 0);
  ASSERT_EQ(refill(page, 0), 0);
  ASSERT_NE(donate(9), nullptr);
  EXPECT_EQ(pa_of(donate(0)), page);
}

// A part of the window that is no block of it stays the host's.
TEST_P(CmaTest, PartsOfBlocksAreRefused) {
  const Pa part = ram_begin + (2 * mib);
  EXPECT_EQ(refill(part, 0), -22);
  EXPECT_EQ(world.page(part).host_state, PageState::owned);
}

// Such a part in the middle of a list: it is taken, found unfit, and in front of the list that the
// host gets back (pkvm-abi.md 5.5).
TEST_P(CmaTest, ARefusedPartIsInFrontOfWhatIsLeft) {
  const Pa part = ram_begin + (2 * mib);
  const Pa behind = host_page(7);
  const auto link = [this](Pa block, u64 next) { *world.hyp().linear.pointer<u64>(block) = next; };
  link(page, part.value);
  link(part, behind.value);
  link(behind, 0);
  const user_pt_regs regs = call(Hypercall::pkvm_hyp_alloc_mgt_refill, {1, page.value, 3});
  EXPECT_EQ(static_cast<std::int64_t>(regs.regs[1]), -22);
  EXPECT_EQ(regs.regs[2], part.value);
  EXPECT_EQ(regs.regs[3], 2U);
  EXPECT_EQ(*world.hyp().linear.pointer<u64>(part), behind.value);
  for (const Pa left : {part, behind})
    EXPECT_EQ(world.page(left).host_state, PageState::owned);
  EXPECT_NE(world.page(page).host_state, PageState::owned);
}

class GuestPagesTest : public IommuTest {};
INSTANTIATE_TEST_SUITE_P(Generations, GuestPagesTest,
                         testing::Values(Generation::android15_6_6, Generation::android16_6_12),
                         name_of);

// With a protected vCPU loaded its VM brings the pages, in 6.12; they go back where they came from.
TEST_P(GuestPagesTest, ComeFromTheLoadedVm) {
  pkvm::HostVm host{};
  host.is_protected = 1;
  Vm vm(world.hyp().linear, host, host, pool_begin);
  pkvm::HostVcpu shared{};
  Vcpu vcpu(vm, 0, shared);
  world.hyp().vms.loaded(0) = &vcpu;
  ASSERT_EQ(refill(page, 0), 0);
  const Pa own = world.pool().take_page().value();
  vm.pool.give_back(own);
  void* const block = donate(0);
  EXPECT_EQ(pa_of(block), is_6_12() ? own : page);
  EXPECT_EQ(donate(1), nullptr);
  reclaim(block, 0);
  EXPECT_EQ(vm.pool.free_pages(), 1U);
  EXPECT_EQ(ops::pkvm_unuse_dma(page, page_size), -1) << "no page of that guest";
  world.hyp().vms.loaded(0) = nullptr;
}

// Reset functions are bound once, to devices that the host announced (6.12).
TEST(AssignableDevicesTest, ResetIsBoundOnce) {
  const World world(Generation::android16_6_12);
  const HypVa function{0x1000};
  EXPECT_EQ(ops::device_register_reset(Pa{0x1000'0008}, 7, function), -19);
  const std::array devices = {pkvm::HypDevice{.base = 0x1000'0000, .size = 0x1000}};
  world.hyp().devices.add(devices);
  EXPECT_EQ(ops::device_register_reset(Pa{0x1000'1000}, 7, function), -19);
  EXPECT_EQ(ops::device_register_reset(Pa{0x1000'0008}, 7, function), 0);
  EXPECT_EQ(ops::device_register_reset(Pa{0x1000'0010}, 8, function), -16);
}

// A driver whose init fails is no driver, and neither is its identity domain.
TEST(IommuInitTest, FailedDriverIsForgotten) {
  const World world(Generation::android16_6_12);
  kvm_iommu_ops_6_12 ops = hyp_null_iommu_ops_6_12;
  driver = {};
  ops.host_stage2_idmap = hear;
  ops.init = [] {
    ops::iommu_snapshot_host_stage2(nullptr);
    return -5;
  };
  EXPECT_EQ(world.hyp().iommu.init({.ops = reinterpret_cast<const IommuOps*>(&ops),
                                    .memcache = {},
                                    .argument = 0,
                                    .incomplete = IncompleteDriver::no_device,
                                    .generation = Generation::android16_6_12},
                                   *world.hyp().iommu_pools),
            -5);
  EXPECT_EQ(world.hyp().iommu.ops(), nullptr);
  EXPECT_EQ(world.hyp().iommu.operation(IommuOp::host_stage2_idmap), HypVa{0});
}

}  // namespace
}  // namespace pkvmemu::hyp::test
