// SPDX-License-Identifier: GPL-2.0-only
// The language of makefiles as far as we read it: each construct gives its value, and what is not
// understood is an error with file and line, never a guess.
#include "build/makefile.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace pkvmemu::build {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Result<Makefile> parse(std::string_view text) {
  return Makefile::parse("m/Makefile", text, {{"KERNELRELEASE", "6.6.77"}, {"src", "m"}});
}

/// The words of X in the given text, or the error's message as the only word.
std::vector<std::string> words_of_x(std::string_view text) {
  const auto makefile = parse(text);
  if (!makefile) return {makefile.error().message};
  const auto words = makefile->words("X");
  if (!words) return {words.error().message};
  std::vector<std::string> result;
  for (const Word& word : *words)
    result.push_back(word.text);
  return result;
}

struct Good {
  std::string sentence;
  std::string text;
  std::vector<std::string> words;

  friend void PrintTo(const Good& row, std::ostream* out) { *out << row.sentence; }
};
class Understood : public testing::TestWithParam<Good> {};

INSTANTIATE_TEST_SUITE_P(
    Makefile, Understood,
    testing::Values(
        Good{"Simple", "X := a.o b.o\n", {"a.o", "b.o"}},
        Good{"NoSpaceAndNoNewline", "X=a.o", {"a.o"}},
        Good{"Append", "X := a.o\nX += b.o\n", {"a.o", "b.o"}},
        Good{"AppendToNothing", "X += b.o\n", {"b.o"}},
        Good{"DefaultLosesToAValue", "X := a.o\nX ?= b.o\n", {"a.o"}},
        Good{"DefaultStandsAlone", "X ?= b.o\n", {"b.o"}},
        Good{"LaterValueWins", "X := a.o\nX := b.o\n", {"b.o"}},
        Good{"Continued", "X := a.o \\\n  b.o \\\n\tc.o\nY := d.o\n", {"a.o", "b.o", "c.o"}},
        Good{"Comment", "# X := z.o\nX := a.o # b.o\n", {"a.o"}},
        Good{"CarriageReturns", "X := a.o \\\r\n b.o\r\n", {"a.o", "b.o"}},
        Good{"Variable", "V := a b\nX := $(V).o ${src}/c.o\n", {"a", "b.o", "m/c.o"}},
        Good{"RecursiveLooksLate", "X = $(V)\nV := late.o\n", {"late.o"}},
        Good{"SimpleLooksAtOnce", "V := early.o\nX := $(V)\nV := late.o\n", {"early.o"}},
        Good{"NestedReference", "N := V\nV := a.o\nX := $($(N))\n", {"a.o"}},
        Good{"ComputedName", "N := X\n$(N) := a.o\n", {"a.o"}},
        Good{"UnsetIsEmpty", "X := a$(NOTHING).o\n", {"a.o"}},
        Good{"Dollar", "X := a$$b\n", {"a$b"}},
        Good{"ExportedAssignment", "export X := a.o\n", {"a.o"}},
        Good{"RecipesAreSkipped", "all: x\n\t$(shell anything) X := z.o\nX := a.o\n", {"a.o"}},
        Good{"IfneqTaken", "ifneq ($(KERNELRELEASE),)\nX := a.o\nelse\nX := b.o\nendif\n", {"a.o"}},
        Good{
            "IfeqNotTaken", "ifeq ($(KERNELRELEASE),)\nX := a.o\nelse\nX := b.o\nendif\n", {"b.o"}},
        Good{"IfdefTaken", "ifdef src\nX := a.o\nendif\n", {"a.o"}},
        Good{"IfndefNotTaken", "ifndef src\nX := a.o\nendif\nX += b.o\n", {"b.o"}},
        Good{"QuotedIfeq", "ifeq \"$(src)\" 'm'\nX := a.o\nendif\n", {"a.o"}},
        Good{"ElseIf",
             "ifeq ($(src),q)\nX := a.o\nelse ifeq ($(src),m)\nX := b.o\nelse\nX := c.o\nendif\n",
             {"b.o"}},
        Good{"NestedInADeadBranch",
             "ifeq ($(src),q)\nifeq ($(src),m)\nX := a.o\nelse\nX := b.o\nendif\nendif\n",
             {}},
        Good{"UnusedFunctionsDoNoHarm", "KDIR := $(shell uname -r)\nX := a.o\n", {"a.o"}},
        Good{"AnOptionWithItsDefault",
             "CONFIG_A ?= m\nX$(CONFIG_A) := q\nX := $(CONFIG_A)\n",
             {"m"}}),
    [](const auto& instance) { return instance.param.sentence; });

// A construct that is supported gives make's value.
TEST_P(Understood, HasItsValue) {
  EXPECT_EQ(words_of_x(GetParam().text), GetParam().words);
}

struct Bad {
  std::string sentence;
  std::string text;
  std::string place;
  std::string advice;

  friend void PrintTo(const Bad& row, std::ostream* out) { *out << row.sentence; }
};
class Refused : public testing::TestWithParam<Bad> {};

INSTANTIATE_TEST_SUITE_P(
    Makefile, Refused,
    testing::Values(
        Bad{"Function", "\nX := $(wildcard *.c)\n",
            "m/Makefile:2: ", "functions are not evaluated"},
        Bad{"LateFunction", "X = $(shell ls)\n", "m/Makefile:1: ", "$(shell ls)"},
        Bad{"Substitution", "V := a.c\nX := $(V:.c=.o)\n", "m/Makefile:2: ", "write the names out"},
        Bad{"UsedFunctionFarAway", "V := $(shell ls)\n\nX := $(V)\n",
            "m/Makefile:1: ", "$(shell ls)"},
        Bad{"Unclosed", "X := $(V\n", "m/Makefile:1: ", "not closed"},
        Bad{"AutomaticVariable", "X := $@\n", "m/Makefile:1: ", "'$@' is not understood"},
        Bad{"ShellAssignment", "X != ls\n", "m/Makefile:1: ", "supported are assignments"},
        Bad{"Define", "define X\nendef\n", "m/Makefile:1: ", "'define X' is not understood"},
        Bad{"NoOperator", "X a.o\n", "m/Makefile:1: ", "'X a.o' is not understood"},
        Bad{"TwoWordName", "X Y := a.o\n", "m/Makefile:1: ", "cannot be a variable's name"},
        Bad{"UnknownOption", "X-$(CONFIG_A) := a.o\n", "m/Makefile:1: ", "'CONFIG_A ?= m'"},
        Bad{"MissingEndif", "\nifdef src\nX := a.o\n", "m/Makefile:2: ", "has no endif"},
        Bad{"StrayEndif", "endif\n", "m/Makefile:1: ", "endif without"},
        Bad{"StrayElse", "else\n", "m/Makefile:1: ", "else without"},
        Bad{"SecondElse", "ifdef src\nelse\nelse\nendif\n", "m/Makefile:3: ", "else without"},
        Bad{"HalfACondition", "ifeq ($(src))\nendif\n", "m/Makefile:1: ", "expected ifeq (ONE,"},
        Bad{"RefersToItself", "X = $(X)\n", "m/Makefile:1: ", "refers to itself"},
        Bad{"LineOfAContinuation", "Y := \\\n a\nX := \\\n $(wildcard)$(a b)\n",
            "m/Makefile:3: ", "$(a b)"}),
    [](const auto& instance) { return instance.param.sentence; });

// What is not understood is an error that names file and line and says what is.
TEST_P(Refused, NamesTheLine) {
  EXPECT_THAT(words_of_x(GetParam().text),
              ElementsAre(AllOf(StartsWith(GetParam().place), HasSubstr(GetParam().advice))));
}

// Values that double with every line end in an error, soon.
TEST(Makefile, DoublingValuesEnd) {
  std::string simple = "X := abcdefgh\n";
  std::string recursive = "V0 = a\n";
  for (int i = 0; i < 60; ++i)
    simple += "X := $(X)$(X)\n";
  for (int i = 1; i < 30; ++i)
    recursive += fmt::format("V{0} = $(V{1})$(V{1})\n", i, i - 1);
  EXPECT_THAT(words_of_x(simple), ElementsAre(HasSubstr("never end")));
  EXPECT_THAT(words_of_x(recursive + "X = $(V29)\n"), ElementsAre(HasSubstr("never end")));
}

// Whatever stands in the file, reading it ends with words or an error that names the file.
TEST(Makefile, ChangedTextIsReadOrRefused) {
  constexpr unsigned seed = 20250611;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const std::string whole =
      "ifneq ($(KERNELRELEASE),)\nobj-m := a.o # c\nX := b.o \\\n c.o $(src)/d.o\nX += $(Y)\n"
      "$(obj)/k.o: FORCE\n\t$(Q)make\nelse ifdef Z\nY = $(X)\nelse\nall:\nendif\n";
  const std::string_view letters = "$(){}:=+?#\\\n\t ,xX\"'";
  unsigned refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = whole;
    for (int change = 0; change < 4; ++change)
      text[random() % text.size()] = letters[random() % letters.size()];
    const auto words = words_of_x(text);
    const bool error = words.size() == 1 && words.front().starts_with("m/Makefile:");
    refused += error ? 1 : 0;
  }
  EXPECT_GT(refused, 1000U);
  EXPECT_LT(refused, 19'000U);
}

// Each word knows the line of its assignment, so that errors about it can name that.
TEST(Makefile, WordsKnowTheirLines) {
  const auto makefile = parse("X := a.o\n\nX += b.o\n");
  ASSERT_TRUE(makefile);
  const auto words = makefile->words("X");
  ASSERT_TRUE(words);
  ASSERT_EQ(words->size(), 2U);
  EXPECT_EQ((*words)[0].line, 1U);
  EXPECT_EQ((*words)[1].line, 3U);
}

// Includes are listed, not followed; given variables are not the file's own.
TEST(Makefile, ListsWhatItSetsAndIncludes) {
  const auto makefile = parse("include $(src)/Makefile.module\nX := a.o\n");
  ASSERT_TRUE(makefile);
  ASSERT_EQ(makefile->includes().size(), 1U);
  EXPECT_EQ(makefile->includes()[0].text, "m/Makefile.module");
  ASSERT_EQ(makefile->assigned().size(), 1U);
  EXPECT_EQ(makefile->assigned()[0].text, "X");
}

}  // namespace
}  // namespace pkvmemu::build
