// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's heap and its refill protocol (pkvm-abi.md 1.6, 3.7, 5.3, 5.4, 7.8).
#include <fmt/format.h>

#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using pkvm::Hypercall;

/// Frames that nothing else uses: zero, so that a memcache of one page ends there.
constexpr std::uint64_t unused = 0x5000'0000;
constexpr std::uint64_t page = 0x1000;
/// With 39 bits of addresses and one CPU the window starts 4 MiB into the private range.
constexpr std::uint64_t first_chunk = 0x20'0040'0020;

class Heap : public OpsRun {
 protected:
  std::size_t host_call(Hypercall call, Numbers arguments = {}) {
    return hvc(pkvm::smccc::kvm_host_id(*pkvm::hypercall_number(id(), call)), arguments);
  }
  /// One page from the host, without a memcache's link behind it.
  std::size_t refill(std::uint64_t pa) {
    return host_call(Hypercall::pkvm_hyp_alloc_mgt_refill, {0, pa, 1});
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, Heap,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         generation_name);

// Without a page for the window's own tables: -EBUSY in 6.12, -ENOMEM before (provoked by a fault
// site, so on our machine only); the next time there is one.
TEST_P(Heap, FailsWithoutATableForItsWindow) {
  const auto refill_hvc = fmt::format(
      "{:#x}:0,{:#x},1",
      pkvm::smccc::kvm_host_id(*pkvm::hypercall_number(id(), Hypercall::pkvm_hyp_alloc_mgt_refill)),
      unused);
  const auto allocate = fmt::format("system_hvc:{},16", static_cast<int>(SYSTEM_ALLOC));
  const Arguments refilled = {own("system"), "--no-pvm", "--hvc", refill_hvc};
  const auto with = [](Arguments arguments, std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
    return run_emulator(arguments);
  };
  const auto before = with(refilled, {"--fail", "hyp.pool.take:nth=1000000"})
                          .report.at("faults")
                          .at(0)
                          .at("reached")
                          .get<std::uint64_t>();
  const auto run = with(refilled, {"--call", allocate, "--call", allocate, "--fail",
                                   fmt::format("hyp.pool.take:nth={}", before + 1)});
  const auto x = [&](std::size_t call, std::size_t index) {
    return static_cast<std::int64_t>(std::stoull(
        run.report.at("calls").at(call).at("result").at(index).get<std::string>(), nullptr, 16));
  };
  EXPECT_EQ(run.report.at("faults").at(0).at("fired"), 1);
  EXPECT_EQ(x(1, 1), 0);
  EXPECT_EQ(x(1, 2), is(Generation::android16_6_12) ? ebusy : enomem);
  EXPECT_NE(x(2, 1), 0);
  if (is(Generation::android16_6_12)) test::holds("1.6/hyp_alloc.ebusy", id(), HeldOn::machine);
}

// Without donated pages an allocation fails and says how many it lacks, once; after a refill of
// that many it succeeds, in the heap's window, and the error is gone.
TEST_P(Heap, AsksForPagesAndGetsThem) {
  const auto refused = op(SYSTEM_ALLOC, {0x1800});
  const auto missing = op(SYSTEM_MISSING);
  const auto asked_again = op(SYSTEM_MISSING);
  const auto first = refill(unused);
  const auto still = op(SYSTEM_ALLOC, {0x1800});
  const auto one_missing = op(SYSTEM_MISSING);
  const auto second = refill(unused + page);
  const auto memory = op(SYSTEM_ALLOC, {0x1800});
  const auto error = op(SYSTEM_ERRNO);
  const auto nothing = op(SYSTEM_MISSING);
  run();
  EXPECT_EQ(answer(refused), 0);
  EXPECT_EQ(static_cast<std::int64_t>(x(refused, 2)), enomem);
  EXPECT_EQ(answer(missing), 2);
  EXPECT_EQ(answer(asked_again), 0);
  EXPECT_EQ(answer(first), 0);
  EXPECT_EQ(answer(still), 0);
  EXPECT_EQ(answer(one_missing), 1);
  EXPECT_EQ(answer(second), 0);
  EXPECT_NE(answer(memory), 0);
  EXPECT_EQ(answer(error), 0);
  EXPECT_EQ(answer(nothing), 0);
  holds("1.6/hyp_alloc.enomem");
  holds("1.6/hyp_alloc_missing_donations");
  holds("1.6/hyp_alloc_errno");
  holds("5/hyp_alloc_mgt_refill");
}

// The kernel's own top-up serves as well, before deprivilege and after.
TEST_P(Heap, TheKernelTopsItUp) {
  parameter("system.topup=3");
  const auto memory = op(SYSTEM_ALLOC, {0x2000});
  run();
  EXPECT_EQ(lines("system: topup 0"), 1U);
  EXPECT_NE(answer(memory), 0);
  holds("3.7/__pkvm_topup_hyp_alloc");
}

// Memory comes zeroed, also when somebody used it before: the first chunk's address is the same in
// both runs, so that the second one knows what to fill and free.
TEST_P(Heap, MemoryIsZeroed) {
  constexpr std::uint64_t size = 0x1000;
  parameter("system.topup=3");
  const auto memory = op(SYSTEM_ALLOC, {size});
  const auto fresh = op(SYSTEM_SUM, {first_chunk, size});
  op(SYSTEM_FILL, {first_chunk, size});
  const auto filled = op(SYSTEM_SUM, {first_chunk, size});
  op(SYSTEM_FREE, {first_chunk});
  const auto again = op(SYSTEM_ALLOC, {size});
  const auto zeroed = op(SYSTEM_SUM, {first_chunk, size});
  run();
  ASSERT_EQ(x(memory, 1), first_chunk);
  EXPECT_EQ(x(fresh, 1), 0U);
  EXPECT_EQ(x(filled, 1), size * 0xFF);
  EXPECT_EQ(x(again, 1), first_chunk) << "what was freed is given out again";
  EXPECT_EQ(x(zeroed, 1), 0U);
  holds("1.6/hyp_alloc.zeroed");
  holds("1.6/hyp_free");
}

// More than the window of 128 MiB is -E2BIG, whatever was donated.
TEST_P(Heap, TheWindowIsBounded) {
  const auto refused = op(SYSTEM_ALLOC, {std::uint64_t{128} << 20});
  const auto wrapped = op(SYSTEM_ALLOC, {~std::uint64_t{0}});
  run();
  for (const std::size_t call : {refused, wrapped}) {
    EXPECT_EQ(answer(call), 0);
    EXPECT_EQ(static_cast<std::int64_t>(x(call, 2)), e2big);
  }
  holds("1.6/hyp_alloc.e2big");
}

// A pointer that is none of the heap's is fatal.
TEST_P(Heap, FreeingAForeignPointerIsFatal) {
  parameter("system.topup=1");
  op(SYSTEM_ALLOC, {0x100});
  op(SYSTEM_FREE, {0x1234'5000});
  run();
  EXPECT_EQ(exit_code(), 12);
  EXPECT_EQ(lines("nVHE hyp BUG at"), 1U);
  holds("1.6/hyp_free.foreign");
}

// Pages that nothing uses can be had back: all of them at the most, as a memcache.
TEST_P(Heap, IdlePagesComeBack) {
  const auto none = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaimable);
  refill(unused);
  refill(unused + page);
  const auto two = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaimable);
  op(SYSTEM_ALLOC, {0x100});
  const auto one = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaimable);
  const auto reclaimed = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaim, {8});
  const auto left = host_call(Hypercall::pkvm_hyp_alloc_mgt_reclaimable);
  run();
  EXPECT_EQ(answer(none), 0);
  EXPECT_EQ(answer(two), 2);
  EXPECT_EQ(answer(one), 1);
  EXPECT_EQ(x(reclaimed, 1), unused) << "the head of the memcache";
  EXPECT_EQ(x(reclaimed, 2), 1U);
  EXPECT_EQ(answer(left), 0);
  holds("5/hyp_alloc_mgt_reclaimable");
  holds("5/hyp_alloc_mgt_reclaim");
}

// What is not the host's to give is refused as a donation is; an allocator that does not exist has
// no use for pages.
TEST_P(Heap, RefillIsADonation) {
  const auto taken = refill(unused);
  const auto twice = refill(unused);
  const auto no_memory = refill(0x0900'0000);
  const auto nobody = host_call(Hypercall::pkvm_hyp_alloc_mgt_refill, {7, unused + page, 1});
  run();
  EXPECT_EQ(answer(taken), 0);
  EXPECT_EQ(answer(twice), eperm);
  EXPECT_EQ(answer(no_memory), eperm);
  EXPECT_EQ(answer(nobody), einval);
  holds("7.8/refill.donation");
}

}  // namespace
}  // namespace pkvmemu::test
