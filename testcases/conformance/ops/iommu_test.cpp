// SPDX-License-Identifier: GPL-2.0-only
// IOMMU drivers of modules, the ops that they need, and devices (pkvm-abi.md 1.6, 1.7, 3.7, 5.3,
// 5.4, 6.3, 7.6, 7.7, 7.9).
#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"
#include "modules/iommu/operations.h"
#include "pkvm/hypercall.h"
#include "pkvm/platform.h"
#include "pkvm/smccc.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using pkvm::Hypercall;

/// Frames that nothing else uses: zero, so that a memcache of one block ends there.
constexpr std::uint64_t unused = 0x5000'0000;
constexpr std::uint64_t page = 0x1000;
constexpr std::uint64_t frame_of(std::uint64_t pa) {
  return pa >> 12;
}
constexpr std::uint64_t iommu_id = 1;
/// Without a device in either machine.
constexpr std::uint64_t mmio = 0x0c10'0000;
constexpr std::int64_t enodev = -19, eopnotsupp = -95;

class IommuRun : public OpsRun {
 protected:
  IommuRun() { load("iommu"); }

  std::size_t iommu(iommu_operation operation, std::vector<std::uint64_t> arguments = {}) {
    std::string target = fmt::format("iommu_hvc:{}", static_cast<int>(operation));
    for (const std::uint64_t argument : arguments)
      target += fmt::format(",{:#x}", argument);
    return call(target);
  }
  std::size_t host_call(Hypercall call, Numbers arguments = {}) {
    return hvc(pkvm::smccc::kvm_host_id(*pkvm::hypercall_number(id(), call)), arguments);
  }
  std::size_t refill(std::uint64_t pa, std::uint64_t order = 0) {
    return host_call(Hypercall::pkvm_hyp_alloc_mgt_refill, {iommu_id, pa | order, 1});
  }
  /// A domain with its two pages: for its structure, and for the driver's table.
  void make_domain(std::uint64_t domain) {
    refill(unused + 0x10'0000, 1);
    made_ = host_call(Hypercall::pkvm_host_iommu_alloc_domain, {domain, 0});
  }
  std::size_t map(std::uint64_t iova, std::uint64_t pa, std::uint64_t pages) {
    return host_call(Hypercall::pkvm_host_iommu_map_pages, {1, iova, pa, page, pages, 3});
  }
  std::size_t unmap(std::uint64_t iova, std::uint64_t pages) {
    return host_call(Hypercall::pkvm_host_iommu_unmap_pages, {1, iova, page, pages});
  }
  void expect_domain() const { EXPECT_EQ(answer(made_), 0); }
  static bool is_6_12() { return is(Generation::android16_6_12); }

 private:
  std::size_t made_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Generations, IommuRun,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         generation_name);

// The kernel asks a registered driver, which brings its operations and pages for the atomic pool;
// nothing is wiped then, and a second driver is refused.
TEST_P(IommuRun, ADriverOfAModuleIsEnough) {
  parameter("iommu.atomic=3 iommu.twice=1");
  run();
  EXPECT_EQ(lines("iommu: register 0"), 1U);
  EXPECT_EQ(lines("iommu: again -16"), 1U);
  EXPECT_EQ(lines("iommu: the hypervisor answers 0, 0 pages left"), 1U);
  EXPECT_EQ(lines("Clearing pKVM firmware memory"), 0U);
  holds("3.7/iommu_driver");
  holds("7.9/registration");
}

// A driver that fails, on either side, is a reason to wipe the firmware.
TEST_P(IommuRun, AFailingDriverWipes) {
  parameter("iommu.fail=-5");
  run();
  EXPECT_EQ(lines("pKVM IOMMU init: error -5"), 1U);
  EXPECT_EQ(lines("Clearing pKVM firmware memory"), 1U);
  holds("6.3/iommu_driver_fails");
}
TEST_P(IommuRun, AFailingInitIsTheAnswer) {
  parameter("iommu.fail_hyp=-5");
  run();
  EXPECT_EQ(lines("iommu: the hypervisor answers -5, 0 pages left"), 1U);
  EXPECT_EQ(lines("pKVM IOMMU init: error -5"), 1U);
  holds("7.9/init_result");
}

// NULL is the caller's BUG in 6.6, -EINVAL later.
TEST_P(IommuRun, NoDriverIsRegistered) {
  parameter("iommu.null=1");
  run();
  if (is_6_12()) {
    EXPECT_EQ(lines("iommu: NULL -22"), 1U);
  } else {
    EXPECT_EQ(exit_code(), 13);
  }
  holds("3.7/iommu_driver.null");
}

// Pages for tables come from refills with id 1, zeroed also when somebody used them; a block that
// is returned serves again, as a whole.
TEST_P(IommuRun, PoolsServePages) {
  const auto none = iommu(IOMMU_DONATE, {0, 0});
  const auto refilled = refill(unused, 2);
  const auto first = iommu(IOMMU_DONATE, {1, 0});
  const auto second = iommu(IOMMU_DONATE, {1, 0});
  const auto empty = iommu(IOMMU_DONATE, {0, 0});
  iommu(IOMMU_RECLAIM, {1, 1});
  iommu(IOMMU_RECLAIM, {1, 0});
  const auto again = iommu(IOMMU_DONATE, {2, 0});
  run();
  EXPECT_EQ(answer(none), 0);
  EXPECT_EQ(answer(refilled), 0);
  for (const std::size_t donated : {first, second, again}) {
    EXPECT_NE(answer(donated), 0);
    EXPECT_EQ(x(donated, 2), 0U) << "zeroed";
  }
  EXPECT_EQ(answer(empty), 0);
  EXPECT_EQ(x(again, 1), std::min(x(first, 1), x(second, 1)));
  holds("1.6/iommu_donate_pages");
  holds("1.6/iommu_reclaim_pages");
}

// What is not out cannot be returned.
TEST_P(IommuRun, AWrongReturnIsFatal) {
  refill(unused, 1);
  iommu(IOMMU_DONATE, {0, 0});
  iommu(IOMMU_RECLAIM, {1, 0});
  run();
  EXPECT_EQ(exit_code(), 12);
  holds("1.6/iommu_reclaim_pages.foreign");
}

// NULL asks the host for one block of that size: 6.6 when it is told to, 6.12 always. The next
// IOMMU hypercall carries the request away.
TEST_P(IommuRun, LackingPagesAreARequest) {
  const auto refused = iommu(IOMMU_DONATE, {2, 1});
  const auto told = host_call(Hypercall::pkvm_host_iommu_free_domain, {9});
  const auto silent = iommu(IOMMU_DONATE, {1, 0});
  const auto second = host_call(Hypercall::pkvm_host_iommu_free_domain, {9});
  run();
  EXPECT_EQ(answer(refused), 0);
  EXPECT_EQ(x(told, 2), 0x301U);
  EXPECT_EQ(x(told, 3), std::uint64_t{4 * page} << 32 | 1);
  EXPECT_EQ(answer(silent), 0);
  EXPECT_EQ(x(second, 2), is_6_12() ? 0x301U : 0U);
  holds("1.6/iommu_donate_pages.request");
}

// NOCACHE is a flag of 6.12: the pages come and go as others do.
TEST_P(IommuRun, UncachedPages) {
  if (!is_6_12()) return;
  refill(unused, 0);
  const auto uncached = iommu(IOMMU_DONATE, {0, 1});
  iommu(IOMMU_RECLAIM, {0, 0});
  const auto cached = iommu(IOMMU_DONATE, {0, 0});
  run();
  EXPECT_NE(answer(uncached), 0);
  EXPECT_EQ(x(uncached, 1), x(cached, 1));
  EXPECT_EQ(x(cached, 2), 0U);
  holds("1.6/iommu_donate_pages.nocache");
}

// The atomic pool has the pages that came with the driver and no others; without any, 6.12 asks.
TEST_P(IommuRun, TheAtomicPoolIsTheDrivers) {
  parameter("iommu.atomic=1");
  refill(unused, 1);
  const auto first = iommu(IOMMU_DONATE_ATOMIC, {0});
  const auto none = iommu(IOMMU_DONATE_ATOMIC, {0});
  const auto request = host_call(Hypercall::pkvm_host_iommu_free_domain, {9});
  iommu(IOMMU_RECLAIM_ATOMIC, {0});
  const auto again = iommu(IOMMU_DONATE_ATOMIC, {0});
  run();
  EXPECT_NE(answer(first), 0);
  EXPECT_EQ(answer(none), 0);
  EXPECT_EQ(x(request, 2), is_6_12() ? 0x301U : 0U);
  EXPECT_EQ(x(again, 1), x(first, 1));
  holds("1.6/iommu_donate_pages_atomic");
  holds("1.6/iommu_reclaim_pages_atomic");
}

// Idle pages come back by the host's reclaim.
TEST_P(IommuRun, IdlePagesComeBack) {
  refill(unused, 1);
  const auto two = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaimable);
  const auto back = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaim, {8});
  const auto none = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaimable);
  run();
  EXPECT_EQ(answer(two), 2);
  EXPECT_EQ(x(back, 2), 2U);
  EXPECT_EQ(answer(none), 0);
  holds("7.8/refill.iommu");
}

// One request waits at a time (6.6).
TEST_P(IommuRun, OneRequestWaits) {
  if (is_6_12()) return;
  const auto first = iommu(IOMMU_REQUEST, {1, 2});
  const auto second = iommu(IOMMU_REQUEST, {1, 3});
  const auto told = host_call(Hypercall::pkvm_host_iommu_free_domain, {9});
  const auto third = iommu(IOMMU_REQUEST, {1, 3});
  run();
  EXPECT_EQ(answer(first), 0);
  EXPECT_EQ(answer(second), ebusy);
  EXPECT_EQ(x(told, 2), 0x101U) << "memory for the heap";
  EXPECT_EQ(x(told, 3), std::uint64_t{page} << 32 | 2);
  EXPECT_EQ(answer(third), 0);
  holds("1.6/iommu_request");
}

// NONE is 0, HOST_HVC 0 or -E2BIG by its id, anything else -EOPNOTSUPP; the lock is free after.
TEST_P(IommuRun, DevicesAreInitialised) {
  const auto none = iommu(IOMMU_INIT_DEVICE, {0, 99});
  const auto last = iommu(IOMMU_INIT_DEVICE, {1, 31});
  const auto too_big = iommu(IOMMU_INIT_DEVICE, {1, 32});
  const auto unknown = iommu(IOMMU_INIT_DEVICE, {9, 0});
  run();
  EXPECT_EQ(answer(none), 0);
  EXPECT_EQ(x(none, 2), 0U);
  EXPECT_EQ(answer(last), 0);
  EXPECT_EQ(answer(too_big), e2big);
  EXPECT_EQ(answer(unknown), eopnotsupp);
  holds("1.6/iommu_init_device");
}

// The host switches the power of such a device through the driver.
TEST_P(IommuRun, TheHostSwitchesPower) {
  iommu(IOMMU_INIT_DEVICE, {1, 4});
  const auto off = host_call(Hypercall::pkvm_host_hvc_pd, {4, 0});
  const auto after_off = iommu(IOMMU_POWER);
  const auto on = host_call(Hypercall::pkvm_host_hvc_pd, {4, 1});
  const auto after_on = iommu(IOMMU_POWER);
  const auto nobody = host_call(Hypercall::pkvm_host_hvc_pd, {5, 0});
  run();
  EXPECT_EQ(answer(off), 0);
  EXPECT_EQ(answer(after_off), 1);
  EXPECT_EQ(x(after_off, 3), 1U);
  EXPECT_EQ(answer(on), 0);
  EXPECT_EQ(x(after_on, 2), 1U);
  EXPECT_EQ(x(after_on, 3), 0U);
  EXPECT_EQ(answer(nobody), einval);
  holds("5/host_hvc_pd");
}

// Ranges that touch become one; a gap, or another page size, is synced before it begins anew.
TEST_P(IommuRun, GathersExtend) {
  iommu(IOMMU_GATHER, {0x2000, page});
  const auto joined = iommu(IOMMU_GATHER, {0x1000, page});
  const auto gap = iommu(IOMMU_GATHER, {0x9000, page});
  const auto large = iommu(IOMMU_GATHER, {0x20'0000, 0x20'0000});
  run();
  EXPECT_EQ(answer(joined), 0);
  EXPECT_EQ(x(joined, 2), 0x1000U);
  EXPECT_EQ(x(joined, 3), 0x2fffU);
  EXPECT_EQ(answer(gap), 1);
  EXPECT_EQ(x(gap, 2), 0x9000U);
  EXPECT_EQ(answer(large), 2);
  EXPECT_EQ(x(large, 3), 0x3f'ffffU);
  holds("1.6/iommu_iotlb_gather_add_page");
}

// What the host maps for devices is in use: neither shared nor donated until it is unmapped.
TEST_P(IommuRun, MappedPagesAreInUse) {
  make_domain(1);
  const auto attached = host_call(Hypercall::pkvm_host_iommu_attach_dev, {0, 1, 7, 0, 0});
  const auto mapped = map(0x10000, unused, 2);
  const auto share = iommu(IOMMU_SHARE, {frame_of(unused)});
  const auto donate = iommu(IOMMU_DONATE_HOST, {frame_of(unused), 0});
  const auto marked = iommu(IOMMU_MOD_PROT, {frame_of(unused), 4, 0});
  iommu(IOMMU_MOD_PROT, {frame_of(unused), 7, 0});
  const auto where = host_call(Hypercall::pkvm_host_iommu_iova_to_phys, {1, 0x11000});
  const auto unmapped = unmap(0x10000, 2);
  const auto then = iommu(IOMMU_SHARE, {frame_of(unused)});
  const auto busy = host_call(Hypercall::pkvm_host_iommu_free_domain, {1});
  host_call(Hypercall::pkvm_host_iommu_detach_dev, {0, 1, 7, 0});
  const auto freed = host_call(Hypercall::pkvm_host_iommu_free_domain, {1});
  run();
  expect_domain();
  EXPECT_EQ(answer(attached), 0);
  EXPECT_EQ(answer(mapped), static_cast<std::int64_t>(2 * page));
  EXPECT_EQ(answer(share), einval);
  EXPECT_EQ(answer(donate), einval);
  EXPECT_EQ(answer(marked), is_6_12() ? einval : 0);
  EXPECT_EQ(x(where, 1), unused + page);
  EXPECT_EQ(answer(unmapped), static_cast<std::int64_t>(2 * page));
  EXPECT_EQ(answer(then), 0);
  EXPECT_EQ(answer(busy), ebusy);
  EXPECT_EQ(answer(freed), 0);
  holds("7.6/dma");
  holds("7.6/refcounted");
  if (is_6_12()) holds("1.7/memory.refcounted");
  holds("5/host_iommu_map_pages");
}

// 6.12 has the error of a mapping in x0, 6.6 has the bytes alone.
TEST_P(IommuRun, FailedMappings) {
  make_domain(1);
  const auto not_hosts = map(0, 0x4020'0000 + 0x10'0000, 1);
  const auto wrong = host_call(Hypercall::pkvm_host_iommu_map_pages, {1, 8, unused, page, 1, 3});
  iommu(IOMMU_ROOM, {1});
  const auto half = map(0, unused, 2);
  const auto second = iommu(IOMMU_SHARE, {frame_of(unused + page)});
  const auto first = iommu(IOMMU_SHARE, {frame_of(unused)});
  run();
  expect_domain();
  static_cast<void>(not_hosts);
  EXPECT_EQ(static_cast<std::int64_t>(x(wrong, 0)), is_6_12() ? einval : 0);
  EXPECT_EQ(x(wrong, 1), 0U);
  EXPECT_EQ(static_cast<std::int64_t>(x(half, 0)), is_6_12() ? enomem : 0);
  EXPECT_EQ(x(half, 1), page);
  EXPECT_EQ(answer(second), 0) << "what was not mapped is not in use";
  EXPECT_EQ(answer(first), einval);
  holds("5/host_iommu_map_pages.error");
}

// MMIO that devices reach carries the third state, and is not the host's to donate.
TEST_P(IommuRun, MmioIsMarked) {
  make_domain(1);
  const auto mapped = map(0, mmio, 1);
  const auto leaf = iommu(IOMMU_LEAF, {mmio});
  const auto donate = iommu(IOMMU_DONATE_HOST, {frame_of(mmio), 1});
  run();
  expect_domain();
  EXPECT_EQ(answer(mapped), static_cast<std::int64_t>(page));
  EXPECT_EQ(x(leaf, 2) >> 55 & 3, 3U);
  EXPECT_EQ(answer(donate), eperm);
  holds("7.3/tainted_mmio_dma");
}

// A domain's structure needs a page, for which the call asks; then it is made, once.
TEST_P(IommuRun, DomainsAskForMemory) {
  const auto refused = host_call(Hypercall::pkvm_host_iommu_alloc_domain, {5, 0});
  refill(unused, 1);
  const auto made = host_call(Hypercall::pkvm_host_iommu_alloc_domain, {5, 0});
  const auto beyond = host_call(Hypercall::pkvm_host_iommu_alloc_domain, {0x1'0000, 0});
  const auto upper = host_call(Hypercall::pkvm_host_iommu_alloc_domain, {0x8000, 0});
  run();
  EXPECT_EQ(answer(refused), enomem);
  EXPECT_EQ(x(refused, 2), 0x301U);
  EXPECT_EQ(x(refused, 3), std::uint64_t{page} << 32 | 1);
  EXPECT_EQ(answer(made), 0);
  EXPECT_EQ(x(made, 2), 0U);
  EXPECT_EQ(answer(beyond), einval);
  EXPECT_EQ(answer(upper), is_6_12() ? einval : enomem);
  holds("5/host_iommu_alloc_domain");
  holds("7.9/domain_ids");
}

// 6.12's kernel has functions for all this, which fetch the memory that the hypervisor asks for.
TEST_P(IommuRun, TheKernelsOwnFunctions) {
  if (!is_6_12()) return;
  parameter("iommu.domain=1");
  run();
  for (const char* line :
       {"iommu: alloc 0", "iommu: attach 0", "iommu: map 0, 16384 bytes", "iommu: at 0x50001000",
        "iommu: unmap 16384", "iommu: detach 0", "iommu: free 0"})
    EXPECT_EQ(lines(line), 1U) << line;
  holds("3.7/iommu_calls");
}

// iommu_flush_unmap_cache lets go of what the cache names (6.6); a page that nobody uses is fatal.
TEST_P(IommuRun, CachesAreFlushed) {
  if (is_6_12()) return;
  make_domain(1);
  map(0, unused, 1);
  const auto left = iommu(IOMMU_FLUSH, {unused, page});
  const auto share = iommu(IOMMU_SHARE, {frame_of(unused)});
  iommu(IOMMU_FLUSH, {unused + page, page});
  run();
  expect_domain();
  EXPECT_EQ(answer(left), 0);
  EXPECT_EQ(answer(share), 0);
  EXPECT_EQ(exit_code(), 12);
  holds("1.6/iommu_flush_unmap_cache");
}

// pkvm_unuse_dma lets go of pages in use, all or none of them (6.12).
TEST_P(IommuRun, PagesAreLetGoOf) {
  if (!is_6_12()) return;
  make_domain(1);
  map(0, unused, 1);
  const auto idle = iommu(IOMMU_UNUSE, {unused, 2 * page});
  const auto still = iommu(IOMMU_SHARE, {frame_of(unused)});
  const auto done = iommu(IOMMU_UNUSE, {unused, page});
  const auto twice = iommu(IOMMU_UNUSE, {unused, page});
  const auto share = iommu(IOMMU_SHARE, {frame_of(unused)});
  iommu(IOMMU_DONATE_HOST, {frame_of(unused + page), 0});
  const auto not_hosts = iommu(IOMMU_UNUSE, {unused + page, page});
  run();
  expect_domain();
  EXPECT_EQ(answer(idle), einval);
  EXPECT_EQ(answer(still), einval);
  EXPECT_EQ(answer(done), 0);
  EXPECT_EQ(answer(twice), einval);
  EXPECT_EQ(answer(share), 0);
  EXPECT_EQ(answer(not_hosts), eperm);
  holds("1.6/pkvm_unuse_dma");
}

// A snapshot tells the driver of what the host has; from then on changes are told.
TEST_P(IommuRun, TheDriverMirrorsTheHost) {
  const std::uint64_t pfn = frame_of(unused);
  iommu(IOMMU_DONATE_HOST, {pfn + 1, 0});
  const auto before = iommu(IOMMU_TOLD);
  const auto snapshot = iommu(IOMMU_SNAPSHOT, {unused + page});
  const auto again = iommu(IOMMU_SNAPSHOT, {unused});
  iommu(IOMMU_DONATE_HOST, {pfn, 0});
  const auto donated = iommu(IOMMU_TOLD);
  iommu(IOMMU_RETURN, {pfn});
  const auto returned = iommu(IOMMU_TOLD);
  run();
  EXPECT_EQ(answer(before), 0);
  EXPECT_EQ(answer(snapshot), 0);
  // A GiB of RAM but for the hypervisor's, and the one below it, which the console has mapped.
  EXPECT_EQ(x(snapshot, 2), 31U);
  EXPECT_EQ(x(snapshot, 3), 0U) << "the hypervisor's";
  EXPECT_EQ(x(again, 3), 1U);
  EXPECT_EQ(answer(donated), 1);
  EXPECT_EQ(x(donated, 2), unused);
  EXPECT_EQ(x(donated, 3), unused + page);
  EXPECT_EQ(x(donated, 4), 0U);
  EXPECT_EQ(x(donated, 5), is_6_12() ? 1U : 0U);
  EXPECT_EQ(answer(returned), 1);
  EXPECT_EQ(x(returned, 4), 3U);
  holds("1.6/iommu_snapshot_host_stage2");
  holds("7.6/hyp_donate_host.iommu");
}

// A changed permission is told when update_iommu says so.
TEST_P(IommuRun, UpdateIommuDecides) {
  const std::uint64_t pfn = frame_of(unused);
  iommu(IOMMU_SNAPSHOT);
  iommu(IOMMU_MOD_PROT, {pfn, 4, 0});
  const auto silent = iommu(IOMMU_TOLD);
  iommu(IOMMU_MOD_PROT, {pfn, 4, 1});
  const auto told = iommu(IOMMU_TOLD);
  iommu(IOMMU_MOD_PROT, {pfn, 0, 1});
  const auto taken = iommu(IOMMU_TOLD);
  run();
  EXPECT_EQ(answer(silent), 0);
  EXPECT_EQ(answer(told), 1);
  EXPECT_EQ(x(told, 4), 1U);
  EXPECT_EQ(x(taken, 4), 0U);
  holds("1.6/host_stage2_mod_prot.iommu");
  holds("1.7/iommu");
}

// MMIO that the host touches is offered to the driver, then mapped on demand, and told: after
// deprivilege that is the console.
TEST_P(IommuRun, MmioFaultsReachTheDriver) {
  call(fmt::format("early iommu_hvc:{}", static_cast<int>(IOMMU_SNAPSHOT)));
  const auto offered = iommu(IOMMU_ABORTS);
  const auto told = iommu(IOMMU_TOLD);
  run();
  EXPECT_EQ(answer(offered), 1);
  EXPECT_EQ(x(offered, 2) & ~(page - 1), pkvm::platform::pl011_base);
  EXPECT_EQ(answer(told), 1);
  EXPECT_LE(x(told, 2), pkvm::platform::pl011_base);
  EXPECT_GT(x(told, 3), pkvm::platform::pl011_base);
  holds("7.7/iommu_abort_handler");
  holds("7.7/iommu_mirror");
}

// A device of the devicetree takes one reset function (6.12).
TEST_P(IommuRun, ResetIsBoundOnce) {
  if (!is_6_12()) return;
  const auto nothing = iommu(IOMMU_RESET, {mmio});
  const auto bound = iommu(IOMMU_RESET, {pkvm::platform::assignable_base + 8});
  const auto again = iommu(IOMMU_RESET, {pkvm::platform::assignable_base});
  run();
  EXPECT_EQ(answer(nothing), enodev);
  EXPECT_EQ(answer(bound), 0);
  EXPECT_EQ(answer(again), ebusy);
  holds("1.6/device_register_reset");
}

}  // namespace
}  // namespace pkvmemu::test
