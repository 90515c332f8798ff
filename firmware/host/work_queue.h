// SPDX-License-Identifier: GPL-2.0-only
// Work that modules put off (queue_work, schedule_delayed_work), in the order it falls due. There
// is one thread of execution and no timer interrupt: the kernel runs what is pending at points of
// its own (run_pending_work), and time jumps to the moment each item is due.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pkvmemu::host {

class WorkQueue {
 public:
  static constexpr std::size_t capacity = 64;

  struct Item {
    std::uint64_t work = 0;  ///< address of the module's struct work_struct
    std::uint64_t due = 0;   ///< nanoseconds
    std::uint64_t order = 0;
  };

  /// False when there is no room. An item that is pending already has to be removed first.
  bool add(std::uint64_t work, std::uint64_t due);
  /// Whether it was pending.
  bool remove(std::uint64_t work);
  /// Takes the item that is due first, in the order of add() among equals; nothing when none is due
  /// by then.
  std::optional<Item> take(std::uint64_t due_by);
  /// Removes and returns the first, by the order of add(), that is `unwanted`.
  template <typename Unwanted>
  std::optional<Item> take_first_if(Unwanted unwanted) {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < count_; ++i)
      if (unwanted(items_[i]) && (!first || items_[i].order < items_[*first].order)) first = i;
    if (!first) return std::nullopt;
    const Item item = items_[*first];
    erase(*first);
    return item;
  }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  void erase(std::size_t index);

  std::array<Item, capacity> items_{};
  std::size_t count_ = 0;
  std::uint64_t next_order_ = 0;
};

}  // namespace pkvmemu::host
