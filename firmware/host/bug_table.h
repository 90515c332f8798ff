// SPDX-License-Identifier: GPL-2.0-only
// A module's __bug_table: what a BRK of BUG or WARN stands for. Records are 12 bytes: the BRK's
// address and the file's name, both relative to the field that holds them, line, flags.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace pkvmemu::host {

struct BugSite {
  std::uint64_t file;  ///< kernel address of its name
  unsigned line;
  bool is_warning;    ///< execution goes on behind the BRK
  bool seen_already;  ///< WARN_ON_ONCE that has warned before
};

/// The record for the BRK at `address` in the table that lies at `table_address`; a WARN_ON_ONCE is
/// marked as seen.
std::optional<BugSite> find_bug(std::span<std::byte> table, std::uint64_t table_address,
                                std::uint64_t address);

}  // namespace pkvmemu::host
