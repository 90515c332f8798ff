// SPDX-License-Identifier: GPL-2.0-only
// The contract's tables against the specification's, which testcases/data/abi holds row by row.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "abi_data.h"
#include "harness/generation_printer.h"
#include "pkvm/errno.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"
#include "pkvm/ops.h"
#include "pkvm/smccc.h"

namespace pkvm {

namespace {

class EveryGeneration : public testing::TestWithParam<GenerationInfo> {};

INSTANTIATE_TEST_SUITE_P(Abi, EveryGeneration, testing::ValuesIn(generations),
                         [](const auto& instance) {
                           return pkvmemu::test::slug_of(instance.param);
                         });

// Each slot of the specification holds the op of that name here, those of later releases included,
// and no slot of ours is beyond it; the table has its size.
TEST_P(EveryGeneration, OpsSlotsAreTheSpecifications) {
  const SpecifiedOps specification = specified_ops(GetParam().kmi);
  ASSERT_GE(specification.slots.size(), 33U);
  EXPECT_EQ(GetParam().ops_slots, specification.total);
  std::map<unsigned, std::string> specified;
  for (const auto& [slot, op] : specification.slots) {
    specified[slot] = op.name;
    EXPECT_EQ(op.offset, std::uint64_t{8} * slot) << op.name;
  }
  std::map<unsigned, std::string> ours;
  for (const OpRow& row : op_rows)
    if (const int slot = row.slot_in(GetParam().id); slot >= 0)
      EXPECT_TRUE(ours.emplace(slot, row.name).second) << slot << " is described twice";
  EXPECT_EQ(ours, specified);
}

// What was a reserve is one in our table with the same number, from the same release on.
TEST_P(EveryGeneration, ReservesInUseAreTheSpecifications) {
  std::vector<std::string> ours;
  for (const KabiRow& row : kabi_rows)
    if (row.generation == GetParam().id)
      ours.push_back(fmt::format("{} {} {} {}{} {}", GetParam().kmi,
                                 row_of(row.op).slot_in(row.generation), row.reserve,
                                 GetParam().kernel_prefix, row.sublevel, row_of(row.op).name));
  std::vector<std::string> specified;
  for (const std::string& line : abi_lines("kabi.txt"))
    if (line.starts_with(GetParam().kmi)) specified.push_back(line);
  EXPECT_EQ(ours, specified);
}

// At its baseline a generation has just those that are not later.
TEST(Ops, BaselineLeavesOutLaterReleases) {
  EXPECT_EQ(op_name(Generation::android15_6_6, 56), "host_stage2_disable_lazy_pte");
  EXPECT_EQ(op_name(Generation::android15_6_6, 57), "");
  EXPECT_EQ(op_at(Generation::android15_6_6, 57), OpId::register_guest_smc_handler_6_6);
  EXPECT_EQ(op_at(Generation::android15_6_6, 59), std::nullopt);
  EXPECT_EQ(op_name(Generation::android16_6_12, 22), "register_guest_smc_handler");
}

// Every number of the specification names the same call here, and no call of ours is beyond it.
TEST_P(EveryGeneration, HypercallNumbersAreTheSpecifications) {
  auto specified = specified_calls(GetParam().kmi);
  ASSERT_FALSE(specified.empty());
  EXPECT_EQ(specified[first_dynamic_call], "__dynamic_hcalls");
  specified.erase(first_dynamic_call);

  std::map<unsigned, std::string> ours;
  for (const HypercallRow& row : hypercall_rows)
    if (const auto number = hypercall_number(GetParam().id, row.call))
      ours[*number] = std::string(row.name);
  EXPECT_EQ(ours, specified);
}

// The split point is prot_finalize's own number, and the static table ends where the numbers do;
// 6.1's last call exists only with an erratum workaround and is not counted (5.1).
TEST_P(EveryGeneration, SplitPointAndTableSizeMatchTheNumbers) {
  const GenerationInfo& row = GetParam();
  EXPECT_EQ(hypercall_number(row.id, Hypercall::pkvm_prot_finalize), row.first_late_call);
  unsigned calls = 0;
  for (const HypercallRow& call : hypercall_rows)
    if (hypercall_number(row.id, call.call) && call.name != "__pkvm_host_set_stage2_memattr")
      ++calls;
  EXPECT_EQ(calls, row.static_calls);
}

// A number leads back to its call, and a number that no call has leads nowhere.
TEST_P(EveryGeneration, NumbersAndCallsAreInverse) {
  for (const HypercallRow& row : hypercall_rows)
    if (const auto number = hypercall_number(GetParam().id, row.call))
      EXPECT_EQ(hypercall_of_number(GetParam().id, *number), row.call) << row.name;
  EXPECT_EQ(hypercall_of_number(GetParam().id, 127), std::nullopt);
}

// The kernel version in a module's vermagic decides its generation, for one that is not modelled
// itself by its row of stand-ins; any other version has none.
TEST(Generations, VermagicDecides) {
  EXPECT_EQ(generation_of_vermagic("6.6.77-android15-8-g0 SMP preempt mod_unload aarch64"),
            Generation::android15_6_6);
  EXPECT_EQ(generation_of_vermagic("6.12.23-android16-5"), Generation::android16_6_12);
  EXPECT_EQ(generation_of_vermagic("6.1.75-android14-11"), Generation::android14_6_1);
  EXPECT_EQ(generation_of_vermagic("5.15.149-android14-11"), Generation::android14_6_1);
  EXPECT_EQ(generation_of_vermagic("5.10.0"), std::nullopt);
  EXPECT_EQ(generation_of_vermagic("5.1.0"), std::nullopt);
  EXPECT_EQ(generation_of_vermagic("6.60.1"), std::nullopt);
}

// KVM_HOST_SMCCC_ID(128) is the first dynamic function id (4.1), and only 16 bits of n count.
TEST(Smccc, HostFunctionIds) {
  EXPECT_EQ(smccc::kvm_host_id(first_dynamic_call), 0xC600'0080U);
  EXPECT_EQ(smccc::kvm_host_id(0x1'0001), 0xC600'0001U);
}

// An errno is named whatever its sign; an unknown number has no name.
TEST(Errnos, AreNamedByEitherSign) {
  EXPECT_EQ(errno_name(-12), "ENOMEM");
  EXPECT_EQ(errno_name(95), "EOPNOTSUPP");
  EXPECT_EQ(errno_name(-4095), "");
  EXPECT_EQ(negated(Errno::eperm), -1);
}

}  // namespace
}  // namespace pkvm
