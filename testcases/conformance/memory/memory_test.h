// SPDX-License-Identifier: GPL-2.0-only
// The fixture of the memory tests: one generation, and the rows that hold on it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "conformance/memory/script.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {

class MemoryTest : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static pkvm::Generation id() { return GetParam().id; }
  static bool is(pkvm::Generation generation) { return id() == generation; }
  static constexpr auto g6_1 = pkvm::Generation::android14_6_1;
  static constexpr auto g6_6 = pkvm::Generation::android15_6_6;
  static constexpr auto g6_12 = pkvm::Generation::android16_6_12;

  static Script script() { return Script(GetParam()); }
  /// One of three values, in the order of the generations.
  template <typename T>
  static T of(T in_6_1, T in_6_6, T in_6_12) {
    return std::array{in_6_1, in_6_6, in_6_12}.at(static_cast<std::size_t>(id()));
  }
  static void holds(std::string_view row, HeldOn on = HeldOn::machine_and_qemu) {
    test::holds(row, id(), on);
  }
};

inline std::string name_of_generation(const testing::TestParamInfo<pkvm::GenerationInfo>& info) {
  std::string name(info.param.kmi);
  std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): GoogleTest's own is one
#define PKVMEMU_EACH_GENERATION(Fixture)                                               \
  INSTANTIATE_TEST_SUITE_P(Generations, Fixture, testing::ValuesIn(pkvm::generations), \
                           name_of_generation)

}  // namespace pkvmemu::test
