// SPDX-License-Identifier: GPL-2.0-only
// From x0 to the handler (pkvm-abi.md 4.2, 4.3, 5.1), for each generation by the same rows.
#include "hyp/dispatch.h"

#include <gtest/gtest.h>

#include "hyp/static_calls.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"
#include "world.h"

namespace pkvmemu::hyp::test {
namespace {

using pkvm::Generation;
using pkvm::Hypercall;

constexpr u64 refused = ~u64{0};
constexpr u64 seen_x1 = 0x66;

/// A module's handler that leaves x0 alone.
void handler(user_pt_regs* regs) {
  regs->regs[1] = seen_x1;
}
/// One that answers as modules should.
void good_handler(user_pt_regs* regs) {
  regs->regs[1] = regs->regs[1] + regs->regs[2] + regs->regs[3];
  regs->regs[2] = regs->regs[4];
  regs->regs[3] = 0xabc;
  regs->regs[0] = 0;
}

HypVa address_of_function(void (*function)(user_pt_regs*)) {
  return HypVa{reinterpret_cast<std::uint64_t>(function)};
}

user_pt_regs call_regs(u64 id) {
  user_pt_regs regs{};
  regs.regs[0] = id;
  for (unsigned i = 1; i < 5; ++i)
    regs.regs[i] = i * 0x11;
  return regs;
}

class DispatchTest : public testing::TestWithParam<Generation> {
 protected:
  World world{GetParam()};
  const pkvm::GenerationInfo& row = pkvm::info(GetParam());

  user_pt_regs call(u64 id) {
    user_pt_regs regs = call_regs(id);
    world.hyp().dispatcher.handle(&regs, world.hyp().modules);
    return regs;
  }
  user_pt_regs call_number(unsigned number) { return call(pkvm::smccc::kvm_host_id(number)); }
  unsigned number_of(Hypercall call) { return pkvm::hypercall_number(GetParam(), call).value(); }
};

INSTANTIATE_TEST_SUITE_P(All, DispatchTest,
                         testing::Values(Generation::android14_6_1, Generation::android15_6_6,
                                         Generation::android16_6_12),
                         [](const auto& info) {
                           return "g" + std::to_string(static_cast<int>(info.param));
                         });

// The measured call: results in x0..x3.
TEST_P(DispatchTest, RegisteredHandlerRuns) {
  ASSERT_EQ(world.hyp().modules.register_handler(address_of_function(good_handler)).value(), 128U);
  const user_pt_regs regs = call_number(128);
  EXPECT_EQ(regs.regs[0], 0U);
  EXPECT_EQ(regs.regs[1], 0x66U);
  EXPECT_EQ(regs.regs[2], 0x44U);
  EXPECT_EQ(regs.regs[3], 0xabcU);
}

// Only 6.1 writes x0 = 0 before the handler; later a handler that forgets leaves the function id.
TEST_P(DispatchTest, PresetOfX0IsPerGeneration) {
  ASSERT_TRUE(world.hyp().modules.register_handler(address_of_function(handler)));
  const u64 expected = row.presets_dynamic_x0 ? 0 : pkvm::smccc::kvm_host_id(128);
  EXPECT_EQ(call_number(128).regs[0], expected);
}

// Numbers that nobody registered answer -1 and change nothing else.
TEST_P(DispatchTest, UnknownCallsAreRefused) {
  ASSERT_TRUE(world.hyp().modules.register_handler(address_of_function(handler)));
  for (const u64 id : {u64{pkvm::smccc::kvm_host_id(129)}, u64{pkvm::smccc::kvm_host_id(5000)},
                       u64{0x8000'0000}, u64{0}, u64{3}, u64{0x8400'0000},
                       u64{pkvm::smccc::kvm_host_id(row.static_calls)}, ~u64{0}}) {
    const user_pt_regs regs = call(id);
    EXPECT_EQ(regs.regs[0], refused) << std::hex << id;
    for (unsigned i = 1; i < 5; ++i)
      EXPECT_EQ(regs.regs[i], i * 0x11) << std::hex << id;
  }
}

// A handler registered as NULL behaves as if it were not registered.
TEST_P(DispatchTest, NullHandlerCountsAsUnregistered) {
  ASSERT_EQ(world.hyp().modules.register_handler(HypVa{0}).value(), 128U);
  EXPECT_EQ(call_number(128).regs[0], refused);
}

// 128 handlers over all modules; the next one is -ENOMEM.
TEST_P(DispatchTest, TableHolds128Handlers) {
  for (unsigned i = 0; i < 128; ++i)
    ASSERT_EQ(world.hyp().modules.register_handler(address_of_function(handler)).value(), 128 + i);
  EXPECT_EQ(world.hyp().modules.register_handler(address_of_function(handler)).error(),
            Errno::enomem);
  EXPECT_EQ(call_number(255).regs[1], seen_x1);
}

// The SVE hint is taken away from 6.6 on; 6.1 takes a hinted call for an unknown one.
TEST_P(DispatchTest, SveHintIsPerGeneration) {
  ASSERT_TRUE(world.hyp().modules.register_handler(address_of_function(good_handler)));
  const u64 id = pkvm::smccc::kvm_host_id(128) | pkvm::smccc::sve_hint;
  EXPECT_EQ(call(id).regs[0], row.strips_sve_hint ? 0 : refused);
}

// The upper half of x0 decides for static calls, and does not for dynamic ones.
TEST_P(DispatchTest, UpperHalfOfX0) {
  ASSERT_TRUE(world.hyp().modules.register_handler(address_of_function(good_handler)));
  constexpr u64 upper = u64{1} << 32;
  EXPECT_EQ(call(upper | pkvm::smccc::kvm_host_id(128)).regs[0], 0U);
  const unsigned share = number_of(Hypercall::pkvm_host_share_hyp);
  EXPECT_EQ(call(upper | pkvm::smccc::kvm_host_id(share)).regs[0], refused);
}

// Every static number has a handler or is refused; before finalisation none is refused by split.
TEST_P(DispatchTest, StaticTableFollowsTheNumbers) {
  const auto table = static_calls(GetParam());
  ASSERT_EQ(table.size(), row.static_calls);
  EXPECT_NE(table[number_of(Hypercall::pkvm_prot_finalize)], nullptr);
  EXPECT_NE(table[number_of(Hypercall::pkvm_register_hcall)], nullptr);
  EXPECT_EQ(table[number_of(Hypercall::kvm_adjust_pc)], nullptr);
  EXPECT_EQ(call_number(number_of(Hypercall::kvm_adjust_pc)).regs[0], refused);
  EXPECT_EQ(call_number(0).regs[0], refused);
}

// After finalisation the load calls are refused and change nothing; later calls still work.
TEST_P(DispatchTest, FinalisationClosesTheLoadCalls) {
  ASSERT_EQ(call_number(number_of(Hypercall::pkvm_alloc_module_va)).regs[0], 0U);
  const user_pt_regs finalised = call_number(number_of(Hypercall::pkvm_prot_finalize));
  ASSERT_EQ(finalised.regs[0], 0U);
  ASSERT_EQ(finalised.regs[1], 0U);
  const HypVa cursor = world.space().cursor();
  for (unsigned number = 0; number < row.first_late_call; ++number) {
    const user_pt_regs regs = call_number(number);
    EXPECT_EQ(regs.regs[0], refused) << number;
    EXPECT_EQ(regs.regs[1], 0x11U) << number;
  }
  EXPECT_EQ(world.space().cursor(), cursor);
  user_pt_regs regs =
      call_regs(pkvm::smccc::kvm_host_id(number_of(Hypercall::pkvm_host_share_hyp)));
  regs.regs[1] = frame(host_page(7));
  world.hyp().dispatcher.handle(&regs, world.hyp().modules);
  EXPECT_EQ(regs.regs[0], 0U);
  EXPECT_EQ(regs.regs[1], 0U);
}

// prot_finalize turns stage 2 on once; the same CPU asking again gets -EPERM.
TEST_P(DispatchTest, FinalisingTwiceIsRefused) {
  const unsigned finalize = number_of(Hypercall::pkvm_prot_finalize);
  ASSERT_EQ(call_number(finalize).regs[1], 0U);
  EXPECT_EQ(arch::read<arch::Sysreg::hcr_el2>() & 1, 1U);
  EXPECT_EQ(arch::read<arch::Sysreg::vttbr_el2>(), world.host().vttbr());
  EXPECT_EQ(call_number(finalize).regs[1], static_cast<u64>(-1));
}

// An error number comes back sign-extended to 64 bits.
TEST_P(DispatchTest, ErrorsAreSignExtended) {
  user_pt_regs regs =
      call_regs(pkvm::smccc::kvm_host_id(number_of(Hypercall::pkvm_host_unshare_hyp)));
  regs.regs[1] = frame(host_page(7));
  world.hyp().dispatcher.handle(&regs, world.hyp().modules);
  EXPECT_EQ(regs.regs[1], 0xFFFF'FFFF'FFFF'FFFF);
}

}  // namespace
}  // namespace pkvmemu::hyp::test
