// SPDX-License-Identifier: GPL-2.0-only
#include "run_generation.h"

#include <gmock/gmock.h>

namespace pkvmemu::tool {
namespace {

using pkvm::Generation;
using testing::AllOf;
using testing::HasSubstr;

// Without modules a run has the baseline's kernel.
TEST(RunGeneration, IsTheBaselineWithoutModules) {
  EXPECT_EQ(RunGeneration("").value(), Generation::android15_6_6);
}

// The modules decide, as long as they agree.
TEST(RunGeneration, IsThatOfTheModules) {
  for (const pkvm::GenerationInfo& row : pkvm::generations) {
    RunGeneration generation("quiet");
    EXPECT_TRUE(generation.add_module("a.ko", row.id));
    EXPECT_TRUE(generation.add_module("b.ko", row.id));
    EXPECT_EQ(generation.value(), row.id);
  }
}

// Modules of two generations cannot be in one run; the message names both files and generations.
TEST(RunGeneration, MixturesAreRefused) {
  RunGeneration generation("");
  ASSERT_TRUE(generation.add_module("a.ko", Generation::android15_6_6));
  const auto mixed = generation.add_module("dir/b.ko", Generation::android16_6_12);
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().code, observe::ExitCode::bad_file);
  EXPECT_THAT(mixed.error().message, AllOf(HasSubstr("dir/b.ko: built for android16-6.12"),
                                           HasSubstr("a.ko for android15-6.6")));
}

// The user's own kernel parameter wins, mixtures included: then the kernel judges the modules.
TEST(RunGeneration, TheCommandLineDecides) {
  RunGeneration generation("x pkvmemu.generation=android14-6.1 pkvmemu.generation=nonsense");
  EXPECT_TRUE(generation.add_module("a.ko", Generation::android15_6_6));
  EXPECT_TRUE(generation.add_module("b.ko", Generation::android16_6_12));
  EXPECT_EQ(generation.value(), Generation::android14_6_1);
}

}  // namespace
}  // namespace pkvmemu::tool
