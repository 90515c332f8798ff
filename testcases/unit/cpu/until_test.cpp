// SPDX-License-Identifier: GPL-2.0-only
// Stopping between any two instructions, and going on as if nothing had been.
#include <gtest/gtest.h>

#include "cpu/engine.h"
#include "cpu_fixture.h"

namespace pkvmemu::cpu {
namespace {

class Stopping : public CpuFixture {
 protected:
  /// A loop of blocks of two lengths: x0 counts rounds, x1 to x3 what was done in them.
  void put_loop(unsigned rounds) {
    put(code, {a64::movz(0, rounds), a64::add(1, 1, 1), a64::add(2, 2, 1), a64::branch(1),
               a64::add(3, 3, 1), a64::subs(0, 0, 1), a64::branch_not_equal(-5), a64::smc(0)});
  }
  static constexpr std::uint64_t per_round = 6;
};

// After n instructions exactly n were executed, wherever in a block that is, and the rest follows.
TEST_F(Stopping, AtACountOfInstructions) {
  constexpr unsigned rounds = 6;
  put_loop(rounds);
  for (std::uint64_t n = 0; n <= rounds * per_round; ++n) {
    const Stop stop = cpu_->run(plenty, {.instructions = n, .place = {}});
    ASSERT_EQ(stop.reason, StopReason::reached) << n;
    ASSERT_EQ(cpu_->instructions(), n);
    const std::uint64_t in_round = n == 0 ? 0 : (n - 1) % per_round;
    if (n > 0)
      EXPECT_EQ(cpu_->pc(), code + 4 + 4 * in_round) << n;
    else
      EXPECT_EQ(cpu_->pc(), code);
  }
  EXPECT_EQ(cpu_->run(plenty).reason, StopReason::board);
  EXPECT_EQ(cpu_->x(1), rounds);
  EXPECT_EQ(cpu_->x(2), rounds);
  EXPECT_EQ(cpu_->x(3), rounds);
  EXPECT_EQ(cpu_->instructions(), 2 + rounds * per_round);
}

}  // namespace
}  // namespace pkvmemu::cpu
