// SPDX-License-Identifier: GPL-2.0-only
#include "host/extents.h"

#include <algorithm>

#include "support/bits.h"

namespace pkvmemu::host {

void ExtentSet::insert_at(std::size_t index, Extent run) {
  for (std::size_t i = size_; i > index; --i)
    runs_[i] = runs_[i - 1];
  runs_[index] = run;
  ++size_;
}

void ExtentSet::erase_at(std::size_t index) {
  --size_;
  for (std::size_t i = index; i < size_; ++i)
    runs_[i] = runs_[i + 1];
}

bool ExtentSet::add(Extent pages) {
  if (pages.count == 0) return true;
  std::size_t at = 0;
  while (at < size_ && runs_[at].first < pages.first)
    ++at;
  const bool has_lower = at > 0;
  const bool has_upper = at < size_;
  if (has_lower && runs_[at - 1].end() > pages.first) return false;
  if (has_upper && pages.end() > runs_[at].first) return false;
  const bool joins_lower = has_lower && runs_[at - 1].end() == pages.first;
  const bool joins_upper = has_upper && pages.end() == runs_[at].first;
  if (joins_lower) {
    runs_[at - 1].count += pages.count;
    if (!joins_upper) return true;
    runs_[at - 1].count += runs_[at].count;
    erase_at(at);
    return true;
  }
  if (joins_upper) {
    runs_[at] = {.first = pages.first, .count = pages.count + runs_[at].count};
    return true;
  }
  if (size_ == capacity) return false;
  insert_at(at, pages);
  return true;
}

bool ExtentSet::remove(Extent pages) {
  for (std::size_t i = 0; i < size_;) {
    const Extent run = runs_[i];
    if (run.end() <= pages.first || pages.end() <= run.first) {
      ++i;
      continue;
    }
    const Extent below{.first = run.first, .count = std::max(run.first, pages.first) - run.first};
    const Extent above{.first = std::min(run.end(), pages.end()),
                       .count = run.end() - std::min(run.end(), pages.end())};
    if (below.count != 0 && above.count != 0) {
      if (size_ == capacity) return false;
      runs_[i] = below;
      insert_at(i + 1, above);
      return true;
    }
    if (below.count == 0 && above.count == 0) {
      erase_at(i);
      continue;
    }
    runs_[i++] = below.count != 0 ? below : above;
  }
  return true;
}

std::optional<std::uint64_t> ExtentSet::take_low(std::uint64_t count, std::uint64_t alignment) {
  for (std::size_t i = 0; i < size_; ++i) {
    const std::uint64_t first = align_up(runs_[i].first, alignment);
    if (first + count > runs_[i].end()) continue;
    if (!remove({.first = first, .count = count})) return std::nullopt;
    return first;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ExtentSet::take_high(std::uint64_t count, std::uint64_t alignment) {
  for (std::size_t i = size_; i-- > 0;) {
    if (runs_[i].count < count) continue;
    const std::uint64_t first = align_down(runs_[i].end() - count, alignment);
    if (first < runs_[i].first) continue;
    if (!remove({.first = first, .count = count})) return std::nullopt;
    return first;
  }
  return std::nullopt;
}

std::uint64_t ExtentSet::total() const {
  std::uint64_t pages = 0;
  for (const Extent& run : runs())
    pages += run.count;
  return pages;
}

}  // namespace pkvmemu::host
