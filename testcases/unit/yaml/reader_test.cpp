// SPDX-License-Identifier: GPL-2.0-only
// What every YAML file of ours goes through first.
#include "yaml/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace pkvmemu::yaml {
namespace {

using testing::StartsWith;

// One document is taken, with or without its marks; an empty file has a null one.
TEST(Parse, OneDocumentIsTaken) {
  constexpr std::array<std::string_view, 4> texts = {"a: 1\n", "---\na: 1\n", "a: 1\n...\n",
                                                     "# words\n{a: 1}"};
  for (const std::string_view text : texts) {
    const auto document = parse("plan.yaml", text);
    ASSERT_TRUE(document) << text << document.error().message;
    EXPECT_EQ((*document)["a"].as<int>(), 1) << text;
  }
  const auto nothing = parse("plan.yaml", "");
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->IsNull());
}

// A token that can begin no document is told with its place, and does not keep the reader for ever.
TEST(Parse, WhatBeginsNoDocumentIsRefused) {
  struct Case {
    std::string_view text;
    std::string_view place;
  };
  constexpr std::array cases = {
      Case{",", "plan.yaml:1:1: "},
      Case{"]", "plan.yaml:1:1: "},
      Case{"}", "plan.yaml:1:1: "},
      Case{"[a], b", "plan.yaml:1:4: "},
      Case{"a: 1\n---\nb: 2\n", "plan.yaml:3:1: "},
      Case{"--- ,\n", "plan.yaml:1:5: "},
  };
  for (const Case& sample : cases) {
    const auto document = parse("plan.yaml", sample.text);
    ASSERT_FALSE(document) << sample.text;
    EXPECT_THAT(document.error().message, StartsWith(sample.place)) << sample.text;
  }
}

}  // namespace
}  // namespace pkvmemu::yaml
