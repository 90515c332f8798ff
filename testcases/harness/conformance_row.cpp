// SPDX-License-Identifier: GPL-2.0-only
#include "harness/conformance_row.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace pkvmemu::test {

void holds(std::string_view row, pkvm::Generation generation, HeldOn on) {
  // A second RecordProperty of the same name replaces the first: the list is kept here.
  static std::string rows;
  static const testing::TestInfo* owner = nullptr;
  const testing::TestInfo* current = testing::UnitTest::GetInstance()->current_test_info();
  if (owner != current) rows.clear();
  owner = current;
  if (!rows.empty()) rows += ' ';
  rows += fmt::format("{}@{}{}", row, pkvm::info(generation).kmi,
                      on == HeldOn::machine_and_qemu ? "+qemu" : "");
  testing::Test::RecordProperty("conformance", rows);
}

}  // namespace pkvmemu::test
