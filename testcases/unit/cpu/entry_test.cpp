// SPDX-License-Identifier: GPL-2.0-only
// Exception entry: PSTATE, vectors, stack pointers. Syndromes of real exceptions are compared with
// QEMU's in testcases/unit/machine/exceptions_test.cpp.
#include <gtest/gtest.h>

#include "cpu/engine.h"
#include "cpu_fixture.h"

namespace pkvmemu::cpu {
namespace {

using ExceptionEntryTest = CpuFixture;

// The vector group follows from where the exception came from and which stack it used.
TEST(Vectors, GroupFollowsLevelAndStack) {
  EXPECT_EQ(vector_group(0x3c8, 2), 0U) << "EL2t to EL2";
  EXPECT_EQ(vector_group(0x3c9, 2), 0x200U) << "EL2h to EL2";
  EXPECT_EQ(vector_group(0x3c5, 2), 0x400U) << "EL1h to EL2";
  EXPECT_EQ(vector_group(0x3c0, 1), 0x400U) << "EL0 to EL1";
}

// Flags survive the entry; IL, SS, BTYPE and UAO do not; everything is masked.
TEST(PstateAtEntry, KeepsFlagsAndClearsTheRest) {
  constexpr std::uint32_t flags = 0xf000'0000;
  constexpr std::uint32_t gone = pstate::il | pstate::ss | pstate::btype | pstate::uao;
  EXPECT_EQ(pstate_at_entry(flags | gone | 0x5, 2, 0), flags | 0x3c9U);
}

// PAN is set on entry to EL1 unless SPAN says no, and never by an entry to EL2; set, it stays set.
TEST(PstateAtEntry, PanFollowsSpanAtEl1Alone) {
  EXPECT_EQ(pstate_at_entry(0, 1, 0) & pstate::pan, pstate::pan);
  EXPECT_EQ(pstate_at_entry(0, 1, sctlr_span) & pstate::pan, 0U);
  EXPECT_EQ(pstate_at_entry(0, 2, 0) & pstate::pan, 0U);
  EXPECT_EQ(pstate_at_entry(pstate::pan, 1, sctlr_span) & pstate::pan, pstate::pan);
}

// Entry banks the stack pointer of the level that is left, whichever it used, and ERET brings it
// back.
TEST_F(ExceptionEntryTest, StackPointersAreBankedBothWays) {
  for (const std::uint32_t mode : {0x3c4U, 0x3c5U, 0x3c0U}) {
    SCOPED_TRACE(mode);
    Engine& engine = cpu_->engine();
    engine.set_pstate(mode);
    engine.set(reg::hcr_el2, bit(31));
    engine.set(UC_ARM64_REG_SP, 0x1000 + mode);
    engine.set(UC_ARM64_REG_SP_EL2, 0x2000);
    engine.set(UC_ARM64_REG_VBAR_EL2, el2_vectors);
    put(el2_vectors + 0x400, {a64::add(31, 31, 16), a64::eret});
    put(code, {a64::smc(0)});
    cpu_->enter({.target_el = 2, .esr = 0x1234, .elr = code, .far = 0x77, .hpfar = 0x880});
    EXPECT_EQ(cpu_->sp(), 0x2000U);
    EXPECT_EQ(cpu_->el(), 2U);
    EXPECT_EQ(engine.get(UC_ARM64_REG_ESR_EL2), 0x1234U);
    EXPECT_EQ(engine.get(UC_ARM64_REG_FAR_EL2), 0x77U);
    EXPECT_EQ(engine.get(reg::hpfar_el2), 0x880U);
    EXPECT_EQ(engine.get(reg::spsr_el2), mode);
    if (pstate::el(mode) == 0) put(code, {a64::svc(0)});  // SMC is undefined at EL0
    cpu_->watch({.exceptions = true, .returns = false, .el2_count = false});
    put(el1_vectors + 0x400, {a64::smc(0)});
    engine.set(UC_ARM64_REG_VBAR_EL1, el1_vectors);
    EXPECT_EQ(cpu_->run(cpu_->instructions() + plenty).reason, StopReason::board);
    const auto bank = pstate::el(mode) == 0 ? engine.get(UC_ARM64_REG_SP_EL0) : cpu_->sp();
    EXPECT_EQ(bank, 0x1000U + mode) << "back on the stack that was left";
    EXPECT_EQ(engine.get(UC_ARM64_REG_SP_EL2), 0x2010U);
  }
}

// FAR and HPFAR keep what they hold when an exception has no such address.
TEST_F(ExceptionEntryTest, AddressRegistersAreWrittenByAbortsAlone) {
  Engine& engine = cpu_->engine();
  engine.set(UC_ARM64_REG_FAR_EL2, 0x55);
  engine.set(reg::hpfar_el2, 0x660);
  cpu_->enter({.target_el = 2, .esr = 0x5600'0000, .elr = code});
  EXPECT_EQ(engine.get(UC_ARM64_REG_FAR_EL2), 0x55U);
  EXPECT_EQ(engine.get(reg::hpfar_el2), 0x660U);
}

// A jump to no multiple of 4 is an alignment fault of the PC, though what lies there would run; so
// is the next one, and only the jump counts as an instruction.
TEST_F(ExceptionEntryTest, MisalignedJumpsFaultBeforeTheFetch) {
  constexpr std::uint32_t branch_to_x0 = 0xd61f'0000;
  constexpr std::uint32_t nops_at_odd_halves = 0x201f'd503;
  constexpr std::uint64_t target = data + 2;
  Engine& engine = cpu_->engine();
  engine.set(UC_ARM64_REG_VBAR_EL2, el2_vectors);
  put(el2_vectors + 0x200, {a64::smc(0)});
  put(data, {nops_at_odd_halves, nops_at_odd_halves, nops_at_odd_halves, nops_at_odd_halves});
  put(code, {branch_to_x0});
  for (unsigned time = 1; time <= 2; ++time) {
    SCOPED_TRACE(time);
    engine.set(UC_ARM64_REG_ESR_EL2, 0);
    engine.set(UC_ARM64_REG_FAR_EL2, 0);
    cpu_->set_x(0, target);
    cpu_->set_pc(code);
    const std::uint64_t before = cpu_->instructions();
    cpu_->run(plenty);
    EXPECT_EQ(board_.secure_calls, time);
    EXPECT_EQ(engine.get(UC_ARM64_REG_ESR_EL2), 0x8a00'0000U) << "EC 0x22, IL";
    EXPECT_EQ(engine.get(UC_ARM64_REG_FAR_EL2), target);
    EXPECT_EQ(engine.get(UC_ARM64_REG_ELR_EL2), target);
    EXPECT_EQ(cpu_->instructions() - before, 2U) << "the jump and the SMC";
  }
}

// Where nothing is mapped either, alignment comes first.
TEST_F(ExceptionEntryTest, MisalignmentComesBeforeTranslation) {
  cpu_->engine().set(UC_ARM64_REG_VBAR_EL2, el2_vectors);
  put(el2_vectors + 0x200, {a64::smc(0)});
  cpu_->set_pc(0x1002);
  cpu_->run(plenty);
  EXPECT_EQ(cpu_->engine().get(UC_ARM64_REG_ESR_EL2), 0x8a00'0000U);
}

}  // namespace
}  // namespace pkvmemu::cpu
