// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ops_list.h"

#include <cstdint>

#include "hyp/status.h"

namespace {

using pkvmemu::hyp::check;

// What list_del leaves in an entry (include/linux/poison.h on arm64).
constexpr std::uint64_t poison_next = 0xdead'0000'0000'0100;
constexpr std::uint64_t poison_prev = 0xdead'0000'0000'0122;

std::uint64_t value_of(const list_head* link) {
  return reinterpret_cast<std::uint64_t>(link);
}

}  // namespace

bool hyp_check_list_add(const list_head* entry, const list_head* prev, const list_head* next) {
  check(next->prev == prev);
  check(prev->next == next);
  check(entry != prev && entry != next);
  return true;
}

bool hyp_check_list_del_entry(const list_head* entry) {
  check(value_of(entry->next) != poison_next);
  check(value_of(entry->prev) != poison_prev);
  check(entry->prev->next == entry);
  check(entry->next->prev == entry);
  return true;
}
