// SPDX-License-Identifier: GPL-2.0-only
// The functions by which a kernel brings an allocator of the hypervisor's its pages, and memcaches
// (pkvm-abi.md 3.7).
#include <fmt/format.h>

#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;

/// As the parameter `refill` of system.ko names them.
enum class By : unsigned char { gfp = 1, size = 2, memcache = 3, nothing = 4 };
constexpr unsigned heap = 0;
constexpr unsigned nobody = 9;

class RefillRun : public OpsRun {
 protected:
  void refill(By function, unsigned allocator = heap) {
    parameter(fmt::format("system.refill={} system.refill_id={}", static_cast<unsigned>(function),
                          allocator));
    memory_ = op(SYSTEM_ALLOC, {0x2000});
    run();
  }
  /// The pages are the hypervisor's, which can give them out.
  void expect_given() {
    EXPECT_EQ(lines("system: refill 0, the next page is another"), 1U);
    EXPECT_NE(answer(memory_), 0);
  }

 private:
  std::size_t memory_ = 0;
};
/// Of some of the functions only this generation has the names.
class Refill66Run : public RefillRun {};

INSTANTIATE_TEST_SUITE_P(Generations, RefillRun,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         generation_name);
INSTANTIATE_TEST_SUITE_P(Generations, Refill66Run,
                         testing::Values(pkvm::info(Generation::android15_6_6)), generation_name);

// By number and size of blocks, the heap gets what it can give out.
TEST_P(RefillRun, WithFlags) {
  refill(By::gfp);
  expect_given();
  holds("3.7/topup_gfp");
}
TEST_P(Refill66Run, WithoutFlags) {
  refill(By::size);
  expect_given();
  holds("3.7/topup_mgt");
}

// A memcache of the caller's own is empty afterwards.
TEST_P(Refill66Run, ByTheCallersMemcache) {
  refill(By::memcache);
  expect_given();
  EXPECT_EQ(lines("system: 0 pages left in the memcache"), 1U);
  holds("3.7/topup_mc");
}

// An allocator that there is not takes nothing: the kernel has its pages again.
TEST_P(RefillRun, WhatWasRefusedIsTheKernelsAgain) {
  refill(By::gfp, nobody);
  EXPECT_EQ(lines("system: refill -22, the next page is the same"), 1U);
  holds("3.7/topup.error");
}

// A memcache is filled up to so many pages, not by so many, and emptied into the kernel.
TEST_P(Refill66Run, AMemcacheIsFilledAndEmptied) {
  refill(By::nothing);
  EXPECT_EQ(lines("system: 3 pages in the memcache"), 1U);
  EXPECT_EQ(lines("system: 0 pages left in the memcache"), 1U);
  EXPECT_EQ(lines("system: refill 0, the next page is the same"), 1U);
  holds("3.7/hyp_memcache");
}

}  // namespace
}  // namespace pkvmemu::test
