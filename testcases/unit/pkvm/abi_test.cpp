// SPDX-License-Identifier: GPL-2.0-only
// The contract's tables against the specification's, which testcases/data/abi holds row by row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "harness/generation_printer.h"
#include "pkvm/errno.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"

namespace pkvm {

namespace {

/// number -> name, as the data file of `kmi` lists them.
std::map<unsigned, std::string> specified_calls(std::string_view kmi) {
  std::ifstream file(std::string(PKVMEMU_TEST_DATA) + "/abi/hypercalls-" + std::string(kmi) +
                     ".txt");
  std::map<unsigned, std::string> calls;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    unsigned number = 0;
    std::string name;
    fields >> number >> name;
    calls[number] = name;
  }
  return calls;
}

class EveryGeneration : public testing::TestWithParam<GenerationInfo> {};

INSTANTIATE_TEST_SUITE_P(Abi, EveryGeneration, testing::ValuesIn(generations),
                         [](const auto& instance) {
                           std::string name(instance.param.kmi);
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

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

// The kernel version in a module's vermagic decides its generation; any other version has none.
TEST(Generations, VermagicDecides) {
  EXPECT_EQ(generation_of_vermagic("6.6.77-android15-8-g0 SMP preempt mod_unload aarch64"),
            Generation::android15_6_6);
  EXPECT_EQ(generation_of_vermagic("6.12.23-android16-5"), Generation::android16_6_12);
  EXPECT_EQ(generation_of_vermagic("6.1.75-android14-11"), Generation::android14_6_1);
  EXPECT_EQ(generation_of_vermagic("5.15.0"), std::nullopt);
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
