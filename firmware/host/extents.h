// SPDX-License-Identifier: GPL-2.0-only
// A set of page numbers kept as sorted runs: the free physical pages, and free address windows.
// First fit from either end; freeing merges neighbours. Fixed capacity, no heap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace pkvmemu::host {

/// Pages [first, first + count).
struct Extent {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  constexpr std::uint64_t end() const { return first + count; }
  constexpr bool operator==(const Extent&) const = default;
};

class ExtentSet {
 public:
  static constexpr std::size_t capacity = 256;

  /// Adds pages. False when some are in already, or when the set has no room for one more run.
  bool add(Extent pages);
  /// Removes pages, whether in or not. False when the set has no room to split a run.
  bool remove(Extent pages);
  /// Takes the lowest `count` pages whose first is a multiple of `alignment` (a power of two).
  std::optional<std::uint64_t> take_low(std::uint64_t count, std::uint64_t alignment = 1);
  /// Same, the highest ones.
  std::optional<std::uint64_t> take_high(std::uint64_t count, std::uint64_t alignment = 1);

  std::uint64_t total() const;
  std::span<const Extent> runs() const { return {runs_.data(), size_}; }

 private:
  void insert_at(std::size_t index, Extent run);
  void erase_at(std::size_t index);

  std::array<Extent, capacity> runs_{};
  std::size_t size_ = 0;
};

}  // namespace pkvmemu::host
