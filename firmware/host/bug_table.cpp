// SPDX-License-Identifier: GPL-2.0-only
#include "host/bug_table.h"

#include "lib/memory.h"

namespace pkvmemu::host {

namespace {

struct Record {
  std::int32_t address;
  std::int32_t file;
  std::uint16_t line;
  std::uint16_t flags;

  static constexpr std::uint16_t warning = 1;
  static constexpr std::uint16_t once = 2;
  static constexpr std::uint16_t done = 4;
};
static_assert(sizeof(Record) == 12);

std::uint64_t relative(std::uint64_t field, std::int32_t distance) {
  return field + static_cast<std::uint64_t>(std::int64_t{distance});
}

}  // namespace

std::optional<BugSite> find_bug(std::span<std::byte> table, std::uint64_t table_address,
                                std::uint64_t address) {
  for (std::size_t at = 0; at + sizeof(Record) <= table.size(); at += sizeof(Record)) {
    Record record{};
    fw::copy_bytes(&record, table.data() + at, sizeof(record));
    const std::uint64_t here = table_address + at;
    if (relative(here + offsetof(Record, address), record.address) != address) continue;
    const BugSite site{.file = relative(here + offsetof(Record, file), record.file),
                       .line = record.line,
                       .is_warning = (record.flags & Record::warning) != 0,
                       .seen_already = (record.flags & Record::done) != 0};
    if ((record.flags & Record::once) != 0) {
      record.flags |= Record::done;
      fw::copy_bytes(table.data() + at, &record, sizeof(record));
    }
    return site;
  }
  return std::nullopt;
}

}  // namespace pkvmemu::host
