// SPDX-License-Identifier: GPL-2.0-only
// The names that are most like one that nobody has, for whoever mistyped it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace pkvmemu::kmod {

class NearNames {
 public:
  explicit NearNames(std::string_view wanted) : wanted_(wanted) {}

  /// A name that there is. It is kept, not copied, where it is among the nearest.
  void offer(std::string_view name);

  /// The nearest first; none that has little to do with what was wanted.
  [[nodiscard]] std::span<const std::string_view> names() const { return {names_.data(), count_}; }

 private:
  static constexpr std::size_t most = 3;

  std::string_view wanted_;
  std::array<std::string_view, most> names_{};
  std::array<std::size_t, most> distances_{};
  std::size_t count_ = 0;
};

/// How many letters have to be changed, added or left out to get from one name to the other; as
/// many as there are where they are too long to be looked at.
std::size_t distance_between(std::string_view a, std::string_view b);

}  // namespace pkvmemu::kmod
