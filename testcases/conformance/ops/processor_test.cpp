// SPDX-License-Identifier: GPL-2.0-only
// Operations on the CPU itself, and the slow paths of lists (pkvm-abi.md 1.6, 1.8).
#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;

class Processor : public OpsRun {};
INSTANTIATE_TEST_SUITE_P(Generations, Processor, testing::ValuesIn(pkvm::generations),
                         generation_name);
class LaterProcessor : public OpsRun {};
INSTANTIATE_TEST_SUITE_P(Generations, LaterProcessor,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         generation_name);

// HCR_EL2 changes at once, as (old | set) & ~clear, and keeps what else was in it.
TEST_P(Processor, UpdateOfHcrIsSeenAtOnce) {
  constexpr std::uint64_t tid3 = 1U << 18;
  constexpr std::uint64_t tvm = 1U << 26;
  const auto before = op(SYSTEM_READ_HCR);
  const auto set = op(SYSTEM_HCR, {tid3 | tvm, 0});
  const auto both = op(SYSTEM_HCR, {tid3, tid3});
  const auto cleared = op(SYSTEM_HCR, {0, tvm});
  run();
  EXPECT_EQ(x(before, 1) & (tid3 | tvm), 0U);
  EXPECT_EQ(x(set, 1), x(before, 1) | tid3 | tvm);
  EXPECT_EQ(x(both, 1), x(before, 1) | tvm) << "clear wins";
  EXPECT_EQ(x(cleared, 1), x(before, 1));
  holds("1.6/update_hcr_el2.value");
}

// What a module set before deprivilege is still set after it, beside stage 2: the stored value is
// what later changes build on.
TEST_P(Processor, UpdateOfHcrIsStored) {
  constexpr std::uint64_t hcr_vm = 1;
  constexpr std::uint64_t tvm = 1U << 26;
  parameter(fmt::format("system.hcr={:#x}", tvm));
  const auto after = op(SYSTEM_READ_HCR);
  run();
  EXPECT_EQ(x(after, 1) & (hcr_vm | tvm), hcr_vm | tvm);
  holds("1.6/update_hcr_el2.stored");
}

// Machines without FEAT_FGT have no such register: the value is stored, nothing faults.
TEST_P(Processor, UpdateOfHfgwtrIsHarmlessWithoutIt) {
  const auto updated = op(SYSTEM_HFGWTR, {0x10, 0x20});
  run();
  EXPECT_EQ(answer(updated), 0);
  EXPECT_EQ(exit_code(), 0);
}

// The one CPU is number 0.
TEST_P(LaterProcessor, ProcessorId) {
  const auto cpu = op(SYSTEM_CPU);
  run();
  EXPECT_EQ(answer(cpu), 0);
  holds("1.6/hyp_smp_processor_id");
}

// udelay waits at least as long as asked, by the virtual counter.
TEST_P(LaterProcessor, DelayIsLongEnough) {
  const auto none = op(SYSTEM_DELAY, {0});
  const auto delayed = op(SYSTEM_DELAY, {50});
  run();
  EXPECT_EQ(answer(none), 1);
  EXPECT_EQ(answer(delayed), 1);
  holds("1.6/udelay");
}

// Sound lists pass, and no register changes that a caller of either reading of preserve_most keeps.
TEST_P(LaterProcessor, SoundListsPassAndRegistersStay) {
  const auto added = op(SYSTEM_LIST, {SYSTEM_LIST_ADD_GOOD});
  const auto removed = op(SYSTEM_LIST, {SYSTEM_LIST_DELETE_GOOD});
  run();
  for (const std::size_t call : {added, removed}) {
    EXPECT_EQ(answer(call), 1);
    EXPECT_EQ(x(call, 2), 0U) << "a bit for each changed register";
  }
  holds("1.6/list_add_valid_or_report.good");
  holds("1.6/list_del_entry_valid_or_report.good");
  holds("1.6/list_add_valid_or_report.registers");
  holds("1.6/list_del_entry_valid_or_report.registers");
}

struct Corruption {
  system_list which;
  std::string_view row;
};

// A corrupt list is fatal, as in GKI.
class CorruptList : public LaterProcessor {
 protected:
  void is_fatal(const Corruption& corruption) {
    op(SYSTEM_LIST, {static_cast<std::uint64_t>(corruption.which)});
    run();
    EXPECT_EQ(exit_code(), 12);
    EXPECT_EQ(lines("nVHE hyp BUG at"), 1U);
    holds(corruption.row);
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, CorruptList,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         generation_name);

TEST_P(CorruptList, NeighboursThatDoNotMeetAreFatal) {
  is_fatal({SYSTEM_LIST_ADD_CORRUPT, "1.6/list_add_valid_or_report.corrupt"});
}
TEST_P(CorruptList, AddingTwiceIsFatal) {
  is_fatal({SYSTEM_LIST_ADD_TWICE, "1.6/list_add_valid_or_report.twice"});
}
TEST_P(CorruptList, DeletingFromACorruptListIsFatal) {
  is_fatal({SYSTEM_LIST_DELETE_CORRUPT, "1.6/list_del_entry_valid_or_report.corrupt"});
}
TEST_P(CorruptList, DeletingTwiceIsFatal) {
  is_fatal({SYSTEM_LIST_DELETE_POISONED, "1.6/list_del_entry_valid_or_report.poison"});
}

}  // namespace
}  // namespace pkvmemu::test
