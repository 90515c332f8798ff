// SPDX-License-Identifier: GPL-2.0-only
#include "host/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace pkvmemu::host;

std::vector<Warning> warnings(const CommandLine& line) {
  std::vector<Warning> result;
  for (const CommandLine::Note& note : line.notes())
    result.push_back(note.warning);
  return result;
}

// An empty line means: KVM off, nothing to load, defaults of ours.
TEST(CommandLine, Defaults) {
  const CommandLine line = parse_command_line("");
  EXPECT_FALSE(line.protected_mode);
  EXPECT_EQ(line.protected_modules, "");
  EXPECT_EQ(line.generation, pkvm::Generation::android15_6_6);
  EXPECT_EQ(line.va_bits, 39U);
  EXPECT_EQ(line.iommu, Iommu::null_driver);
  EXPECT_EQ(line.unresolved, Unresolved::refuse);
  EXPECT_THAT(warnings(line), ::testing::IsEmpty());
}

// Each parameter is understood; unknown ones and those after "--" are not ours.
TEST(CommandLine, KnownParameters) {
  const CommandLine line = parse_command_line(
      "console=ttyAMA0 kvm-arm.mode=protected  kvm-arm.protected_modules=a,b\tpkvmemu.va_bits=48 "
      "pkvmemu.generation=android16-6.12 pkvmemu.iommu=none "
      "pkvmemu.unresolved=stub quiet -- kvm-arm.mode=none");
  EXPECT_TRUE(line.protected_mode);
  EXPECT_EQ(line.protected_modules, "a,b");
  EXPECT_EQ(line.va_bits, 48U);
  EXPECT_EQ(line.generation, pkvm::Generation::android16_6_12);
  EXPECT_EQ(line.iommu, Iommu::none);
  EXPECT_EQ(line.unresolved, Unresolved::stub);
  EXPECT_THAT(warnings(line), ::testing::IsEmpty());
}

// A later list replaces the former, with a warning that shows what is lost (pkvm-abi.md 6.2).
TEST(CommandLine, LastListOfModulesWins) {
  const CommandLine line =
      parse_command_line("kvm-arm.protected_modules=a kvm-arm.protected_modules=b,c");
  EXPECT_EQ(line.protected_modules, "b,c");
  ASSERT_THAT(warnings(line), ::testing::ElementsAre(Warning::modules_repeated));
  EXPECT_EQ(line.notes()[0].value, "a");
}

// Without "=" the parameter is refused and the list stays as it was (pkvm-abi.md 6.2).
TEST(CommandLine, ListWithoutValueIsRefused) {
  const CommandLine line =
      parse_command_line("kvm-arm.protected_modules=a kvm-arm.protected_modules");
  EXPECT_EQ(line.protected_modules, "a");
  EXPECT_THAT(warnings(line), ::testing::ElementsAre(Warning::modules_no_value));
}

// Values that we do not have leave the default and a warning.
TEST(CommandLine, BadValuesWarn) {
  const CommandLine line = parse_command_line(
      "pkvmemu.va_bits=47 pkvmemu.generation=android13 pkvmemu.iommu=smmu "
      "pkvmemu.unresolved=yes kvm-arm.mode=vhe");
  EXPECT_EQ(line.va_bits, 39U);
  EXPECT_EQ(line.generation, pkvm::Generation::android15_6_6);
  EXPECT_EQ(line.iommu, Iommu::null_driver);
  EXPECT_FALSE(line.protected_mode);
  EXPECT_THAT(warnings(line),
              ::testing::ElementsAre(Warning::unknown_va_bits, Warning::unknown_generation,
                                     Warning::unknown_iommu, Warning::unknown_unresolved,
                                     Warning::unknown_mode));
}

// Defects of released kernels are avoided unless asked for.
TEST(CommandLine, AsShipped) {
  using pkvm::Defects;
  EXPECT_EQ(parse_command_line("").defects, Defects::avoided);
  EXPECT_EQ(parse_command_line("pkvmemu.as_shipped").defects, Defects::reproduced);
  EXPECT_EQ(parse_command_line("pkvmemu.as_shipped=1").defects, Defects::reproduced);
  EXPECT_EQ(parse_command_line("pkvmemu.as_shipped pkvmemu.as_shipped=0").defects,
            Defects::avoided);
  EXPECT_THAT(warnings(parse_command_line("pkvmemu.as_shipped=yes")),
              ::testing::ElementsAre(Warning::unknown_as_shipped));
}

// '-' and '_' are equal in names, and double quotes protect blanks.
TEST(CommandLine, KernelSpelling) {
  const CommandLine line = parse_command_line(
      "dyndbg=\"file a.c +p\" kvm_arm.mode=\"protected\" \"kvm-arm.protected_modules=x y\"");
  EXPECT_TRUE(line.protected_mode);
  EXPECT_EQ(line.protected_modules, "x y");
}

// Every warning has words that take its value.
TEST(CommandLine, EveryWarningHasWords) {
  for (const Warning warning :
       {Warning::modules_repeated, Warning::modules_no_value, Warning::unknown_generation,
        Warning::unknown_va_bits, Warning::unknown_iommu, Warning::unknown_mode,
        Warning::unknown_as_shipped})
    EXPECT_THAT(words_of(warning), ::testing::HasSubstr("%.*s"));
}

}  // namespace
