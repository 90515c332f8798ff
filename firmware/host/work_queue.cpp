// SPDX-License-Identifier: GPL-2.0-only
#include "host/work_queue.h"

#include <tuple>

namespace pkvmemu::host {

bool WorkQueue::add(std::uint64_t work, std::uint64_t due) {
  if (count_ == capacity) return false;
  items_[count_++] = {.work = work, .due = due, .order = next_order_++};
  return true;
}

void WorkQueue::erase(std::size_t index) {
  items_[index] = items_[--count_];
}

bool WorkQueue::remove(std::uint64_t work) {
  for (std::size_t i = 0; i < count_; ++i) {
    if (items_[i].work != work) continue;
    erase(i);
    return true;
  }
  return false;
}

std::optional<WorkQueue::Item> WorkQueue::take(std::uint64_t due_by) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < count_; ++i) {
    const Item& item = items_[i];
    if (item.due > due_by) continue;
    if (first &&
        std::tie(items_[*first].due, items_[*first].order) < std::tie(item.due, item.order))
      continue;
    first = i;
  }
  if (!first) return std::nullopt;
  const Item item = items_[*first];
  erase(*first);
  return item;
}

}  // namespace pkvmemu::host
