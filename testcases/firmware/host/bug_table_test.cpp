// SPDX-License-Identifier: GPL-2.0-only
#include "host/bug_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace {

using namespace pkvmemu::host;

constexpr std::uint64_t table_address = 0xffff'ffc0'7900'0000;

void add(std::vector<std::byte>& table, std::int32_t address, std::int32_t file, std::uint16_t line,
         std::uint16_t flags) {
  const std::size_t at = table.size();
  table.resize(at + 12);
  std::memcpy(&table[at], &address, 4);
  std::memcpy(&table[at + 4], &file, 4);
  std::memcpy(&table[at + 8], &line, 2);
  std::memcpy(&table[at + 10], &flags, 2);
}

// Addresses are relative to their own field; BUG and WARN differ by a flag.
TEST(BugTable, FindsTheRecordOfTheBrk) {
  std::vector<std::byte> table;
  add(table, -0x1000, 0x100, 7, 0);
  add(table, 0x2000, 0x200, 8, 1);
  const auto bug = find_bug(table, table_address, table_address - 0x1000);
  ASSERT_TRUE(bug);
  EXPECT_FALSE(bug->is_warning);
  EXPECT_EQ(bug->line, 7U);
  EXPECT_EQ(bug->file, table_address + 4 + 0x100);
  const auto warning = find_bug(table, table_address, table_address + 12 + 0x2000);
  ASSERT_TRUE(warning);
  EXPECT_TRUE(warning->is_warning);
  EXPECT_FALSE(find_bug(table, table_address, table_address));
}

// WARN_ON_ONCE says so the second time, and WARN_ON never does.
TEST(BugTable, OnceIsRemembered) {
  std::vector<std::byte> table;
  add(table, 0x40, 0, 1, 3);
  add(table, 0x40, 0, 2, 1);
  for (const bool second : {false, true}) {
    EXPECT_EQ(find_bug(table, table_address, table_address + 0x40)->seen_already, second);
    EXPECT_FALSE(find_bug(table, table_address, table_address + 12 + 0x40)->seen_already);
  }
}

// A damaged table, cut in the middle of a record, is read only as far as it is whole.
TEST(BugTable, CutTable) {
  std::vector<std::byte> table;
  add(table, 0x40, 0, 1, 1);
  table.resize(11);
  EXPECT_FALSE(find_bug(table, table_address, table_address + 0x40));
}

}  // namespace
