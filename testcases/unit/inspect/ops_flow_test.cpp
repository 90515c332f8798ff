// SPDX-License-Identifier: GPL-2.0-only
// Which operations code uses: testcases/modules/opsflow has one for each way to a slot.
#include "inspect/ops_flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "harness/generation_printer.h"
#include "inspect/ops_flow_state.h"
#include "ko_editor.h"
#include "pkvm/generation.h"
#include "pkvm/ops.h"

namespace pkvmemu::inspect {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class OpsFlow : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static Facts facts(std::string_view name) {
    return KoEditor::own(name, GetParam().kmi).inspect();
  }
  static OpUse use_of(const Facts& facts, std::string_view op) {
    for (const OpUse& use : facts.ops)
      if (use.name == op) return use;
    ADD_FAILURE() << op << " was not found";
    return {};
  }
};

// Through arguments, results, stack slots, conditional selects, structure members, copies of a slot
// and tail calls: each is found, once, in the function that uses it, at the generation's slot.
TEST_P(OpsFlow, FollowsThePointerEveryWay) {
  const Facts found = facts("opsflow");
  struct Row {
    std::string_view op;
    std::string_view function;
    std::size_t calls;
  };
  constexpr Row rows[] = {
      {"putx64", "by_argument", 1},           {"fixmap_unmap", "by_stack", 1},
      {"flush_dcache_to_poc", "by_join", 1},  {"hyp_pa", "opsflow_hvc", 1},
      {"hyp_va", "opsflow_hvc", 1},           {"kern_hyp_va", "opsflow_hyp_init", 1},
      {"linear_map_early", "opsflow_hvc", 1}, {"host_share_hyp", "opsflow_hyp_init", 1},
      {"memset", "opsflow_hyp_init", 0},
  };
  // One that is there from 6.6 on, and one that only a later 6.6 has.
  const bool has_snapshot = GetParam().id != pkvm::Generation::android14_6_1;
  const bool has_later = GetParam().id == pkvm::Generation::android15_6_6;
  EXPECT_EQ(found.ops.size(), std::size(rows) + (has_snapshot ? 1 : 0) + (has_later ? 1 : 0));
  for (const Row& row : rows) {
    SCOPED_TRACE(row.op);
    const OpUse use = use_of(found, row.op);
    EXPECT_EQ(use.loads, 1U);
    EXPECT_EQ(use.calls, row.calls);
    EXPECT_THAT(use.functions, ElementsAre(row.function));
  }
  EXPECT_THAT(found.doubts, IsEmpty());
}

// Names and states come from the table of operations that the firmware is made from.
TEST_P(OpsFlow, SaysWhatTheFirmwareHas) {
  const Facts found = facts("opsflow");
  for (const OpUse& use : found.ops)
    for (const pkvm::OpRow& row : pkvm::op_rows)
      if (row.name == use.name && row.slot_in(GetParam().id) >= 0) {
        EXPECT_EQ(static_cast<std::uint64_t>(row.slot_in(GetParam().id)), use.slot) << use.name;
        if (pkvm::op_name(GetParam().id, use.slot).empty())
          EXPECT_EQ(use.state, OpState::later) << use.name;
        else
          EXPECT_EQ(use.state, row.exists ? OpState::implemented : OpState::missing) << use.name;
      }
}

// An op that only a later release has is named, with that release; calling it is a remark.
TEST_P(OpsFlow, NamesWhatALaterReleaseHas) {
  const Facts found = facts("opsflow");
  const auto later = std::ranges::find(found.ops, OpState::later, &OpUse::state);
  if (GetParam().id != pkvm::Generation::android15_6_6) {
    EXPECT_EQ(later, found.ops.end());
    return;
  }
  ASSERT_NE(later, found.ops.end());
  EXPECT_EQ(later->name, "guest_stage2_pa");
  EXPECT_EQ(later->slot, 58U);
  EXPECT_EQ(later->since, "6.6.127");
  EXPECT_THAT(later->functions, ElementsAre("by_release"));
}

// What cannot be followed is said, with the place: an empty list is no promise.
TEST_P(OpsFlow, SaysWhereItLosesSight) {
  const Facts found = facts("escapes");
  EXPECT_THAT(found.ops, IsEmpty());
  EXPECT_THAT(found.doubts, Contains(HasSubstr("goes where it cannot be followed")));
  EXPECT_THAT(found.doubts, Contains(HasSubstr("chosen at run time")));
  EXPECT_THAT(found.doubts, Contains(HasSubstr("escapes_hyp_init+")));
}

INSTANTIATE_TEST_SUITE_P(EveryGeneration, OpsFlow, testing::ValuesIn(pkvm::generations),
                         [](const auto& row) {
                           std::string name(row.param.kmi);
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

// The samples' uses, counted by hand in their sources.
TEST(OpsFlowOfSamples, AreTheSources) {
  const Facts counter = KoEditor::of("counter").inspect();
  ASSERT_EQ(counter.ops.size(), 1U);
  EXPECT_EQ(counter.ops[0].name, "puts");
  EXPECT_THAT(counter.ops[0].functions, ElementsAre("counter_hvc"));
}

const Value ops{.kind = Value::Kind::ops, .offset = 0, .place = {}};

// At a join the ops pointer wins, and at different distances only that it is one is kept.
TEST(ValueJoin, KeepsThePointer) {
  const Value nothing;
  const Value slot{.kind = Value::Kind::op, .offset = 3, .place = {}};
  const Value other_slot{.kind = Value::Kind::op, .offset = 4, .place = {}};
  EXPECT_EQ(join(nothing, slot), slot);
  EXPECT_EQ(join(slot, slot), slot);
  EXPECT_EQ(join(slot, other_slot), unknown_value);
  EXPECT_EQ(join(unknown_value, ops), ops);
  EXPECT_EQ(join(ops, ops.moved(8)).kind, Value::Kind::ops_lost);
  EXPECT_EQ(join(ops, join(ops, ops.moved(8))).kind, Value::Kind::ops_lost);
}

// Joining in either order gives the same: the result does not depend on the order of blocks.
TEST(ValueJoin, IsSymmetric) {
  const Value values[] = {{},
                          {.kind = Value::Kind::address, .offset = 0, .place = {1, 2}},
                          {.kind = Value::Kind::stack, .offset = -8, .place = {}},
                          {.kind = Value::Kind::op, .offset = 3, .place = {}},
                          unknown_value,
                          ops,
                          ops.moved(8)};
  for (const Value& a : values)
    for (const Value& b : values)
      EXPECT_EQ(join(a, b), join(b, a));
}

}  // namespace
}  // namespace pkvmemu::inspect
