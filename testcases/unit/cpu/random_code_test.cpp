// SPDX-License-Identifier: GPL-2.0-only
// Code that no one wrote: whatever words a guest executes, the run ends for a reason of ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "cpu/engine.h"
#include "cpu_fixture.h"
#include "harness/random_seed.h"

namespace pkvmemu::cpu {
namespace {

constexpr std::uint32_t elr_el1 = sys_reg(3, 0, 4, 0, 1).encoding;
constexpr std::uint32_t elr_el2 = sys_reg(3, 4, 4, 0, 1).encoding;

class RandomCode : public CpuFixture, public ::testing::WithParamInterface<unsigned> {
 public:
  static constexpr unsigned words = 96;

  /// Handlers that skip the instruction and return, at all vectors of both levels.
  void put_handlers() {
    for (std::uint64_t slot = 0; slot < 0x800; slot += vector_size) {
      put(el1_vectors + slot,
          {a64::mrs(28, elr_el1), a64::add(28, 28, 4), a64::msr(elr_el1, 28), a64::eret});
      put(el2_vectors + slot,
          {a64::mrs(29, elr_el2), a64::add(29, 29, 4), a64::msr(elr_el2, 29), a64::eret});
    }
  }
  /// Half of the words are system instructions and the like, where the surprises are.
  static std::uint32_t random_word(std::mt19937_64& random) {
    const auto word = static_cast<std::uint32_t>(random());
    switch (random() % 8) {
      case 0:
        return 0xd500'0000 | (word & 0x003f'ffff);  // MSR, MRS, SYS, hints, barriers
      case 1:
        return 0xd400'0000 | (word & 0x00ff'ffff);  // SVC, HVC, SMC, BRK, HLT, DCPS
      case 2:
        return 0xd51b'0000 | (word & 0x0027'ffff);  // MSR and MRS of EL0 to EL2 registers
      default:
        return word;
    }
  }
};

// Random words at EL2 and at EL1: every run ends within its budget, and the process lives on.
TEST_P(RandomCode, EndsForAReasonOfOurs) {
  const std::uint64_t seed = pkvmemu::test::random_seed();
  std::mt19937_64 random(seed);
  put_handlers();
  for (unsigned i = 0; i < words; ++i) {
    const std::uint32_t word = random_word(random);
    std::memcpy(at(code + std::uint64_t{4} * i), &word, sizeof(word));
  }
  Engine& engine = cpu_->engine();
  engine.set(UC_ARM64_REG_VBAR_EL1, el1_vectors);
  engine.set(UC_ARM64_REG_VBAR_EL2, el2_vectors);
  engine.set(reg::hcr_el2, bit(31));
  for (unsigned n = 0; n < 28; ++n)
    cpu_->set_x(n, data + 8 * (random() % 4096));
  engine.set(UC_ARM64_REG_SP, data);
  engine.set_pstate(pstate::handler_mode(GetParam()));
  engine.set(reg::hcr_el2, bit(31));
  Stop stop;
  for (unsigned i = 0; i < 20; ++i) {
    stop = cpu_->run(20'000);
    if (stop.reason != StopReason::board && stop.reason != StopReason::halted) break;
  }
  // The engine asserts on a few encodings; that ends the run and not the process.
  if (stop.reason == StopReason::engine_error)
    EXPECT_THAT(stop.detail, ::testing::HasSubstr("aborted on guest code")) << stop.detail;
  EXPECT_LE(cpu_->instructions(), 20'000U);
}

// One of those encodings: the run ends with engine_error, says where, and stays ended.
TEST_F(CpuFixture, AnEngineThatAbortsEndsTheRunNotTheProcess) {
  put(code, {0x4ecb'26e3, a64::smc(0)});
  for (int round = 0; round < 2; ++round) {
    const Stop stop = cpu_->run(plenty);
    EXPECT_EQ(stop.reason, StopReason::engine_error);
    EXPECT_THAT(stop.detail, ::testing::HasSubstr("0x40000000"));
  }
  EXPECT_EQ(board_.secure_calls, 0U);
}

INSTANTIATE_TEST_SUITE_P(Levels, RandomCode, ::testing::Values(1U, 2U));

}  // namespace
}  // namespace pkvmemu::cpu
