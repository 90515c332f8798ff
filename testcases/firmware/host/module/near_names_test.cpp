// SPDX-License-Identifier: GPL-2.0-only
// What is told to whoever mistyped a name.
#include "host/module/near_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pkvmemu::kmod::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string_view> near(std::string_view wanted,
                                   std::initializer_list<std::string_view> there) {
  NearNames names(wanted);
  for (const std::string_view name : there)
    names.offer(name);
  return {names.names().begin(), names.names().end()};
}

// A change, an addition and an omission count one each, from either side.
TEST(NearNames, Distance) {
  EXPECT_EQ(distance_between("", ""), 0U);
  EXPECT_EQ(distance_between("smmu_init", "smmu_init"), 0U);
  EXPECT_EQ(distance_between("smmu_init", "smmu_inti"), 2U);
  EXPECT_EQ(distance_between("smmu_init", "smu_init"), 1U);
  EXPECT_EQ(distance_between("smu_init", "smmu_init"), 1U);
  EXPECT_EQ(distance_between("", "abc"), 3U);
  EXPECT_EQ(distance_between("abc", "xyz"), 3U);
}

// The nearest first, at most three; of two that are as near, the first one that there is.
TEST(NearNames, TheNearestFirst) {
  EXPECT_THAT(
      near("smmu_inti", {"smmu_exit", "smmu_init", "smmu_int", "other", "smmu_inits", "smmu_into"}),
      ElementsAre("smmu_int", "smmu_into", "smmu_init"));
}

// A name that is a part of another is near it, however much there is beside it.
TEST(NearNames, Parts) {
  EXPECT_THAT(near("init", {"arm_smmu_v3_init", "exit"}), ElementsAre("arm_smmu_v3_init"));
  EXPECT_THAT(near("my_driver_smmu_init", {"smmu_init"}), ElementsAre("smmu_init"));
  EXPECT_THAT(near("it", {"arm_smmu_v3_init"}), IsEmpty());
}

// What has little to do with it is not offered, nor is what is too long to be looked at.
TEST(NearNames, NothingIsNear) {
  EXPECT_THAT(near("nosuch", {"smmu_init", "limit", ""}), IsEmpty());
  EXPECT_THAT(near("", {"a"}), IsEmpty());
  const std::string long_name(64, 'a');
  EXPECT_THAT(near(std::string(63, 'b'), {long_name}), IsEmpty());
  EXPECT_THAT(near(std::string(63, 'a'), {std::string_view(long_name).substr(1)}),
              ElementsAre(std::string_view(long_name).substr(1)));
}

}  // namespace
}  // namespace pkvmemu::kmod::test
