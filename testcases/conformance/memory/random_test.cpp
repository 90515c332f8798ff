// SPDX-License-Identifier: GPL-2.0-only
// Random sequences on the machine against the model (pkvm-abi.md 7.3, 7.6): every answer, and at
// the end a scan of both page tables in the guest's memory by the machine's own walker.
#include "conformance/memory/memory_test.h"
#include "conformance/memory/random_run.h"
#include "harness/random_seed.h"

namespace pkvmemu::test {
namespace {

constexpr std::size_t steps_of_a_run = 400;

class RandomSequences : public MemoryTest {};
PKVMEMU_EACH_GENERATION(RandomSequences);

// No page is lost, none owned twice, none reachable that should not be.
TEST_P(RandomSequences, TablesAgreeWithTheModel) {
  holds("7.3/tables_agree", HeldOn::machine);
  holds("7.6/random_sequences", HeldOn::machine);
  const auto seed = random_seed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  RandomRun run(GetParam(), seed);
  while (run.steps() < steps_of_a_run)
    run.add_step();
  run.touch_all();
  ASSERT_EQ(run.run(), "");
  EXPECT_EQ(run.scan(), "");
}

}  // namespace
}  // namespace pkvmemu::test
