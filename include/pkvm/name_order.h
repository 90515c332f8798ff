// SPDX-License-Identifier: GPL-2.0-only
// Finding a name in a table that is not sorted for its readers: an order made when it is compiled.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pkvm {

template <std::size_t N>
using NameOrder = std::array<std::uint16_t, N>;

/// The rows' numbers in the order of their names. `name_of(row)` is a row's name.
template <typename Row, std::size_t N, typename NameOf>
consteval NameOrder<N> order_of_names(const std::array<Row, N>& rows, NameOf name_of) {
  static_assert(N <= UINT16_MAX);
  NameOrder<N> order{};
  for (std::size_t i = 0; i < N; ++i)
    order[i] = static_cast<std::uint16_t>(i);
  std::ranges::sort(order, {}, [&](std::uint16_t i) { return name_of(rows[i]); });
  return order;
}

/// The number of the row with this name.
template <typename Row, std::size_t N, typename NameOf>
constexpr std::optional<std::size_t> find_name(const std::array<Row, N>& rows,
                                               const NameOrder<N>& order, NameOf name_of,
                                               std::string_view name) {
  const auto place =
      std::ranges::lower_bound(order, name, {}, [&](std::uint16_t i) { return name_of(rows[i]); });
  if (place == order.end() || name_of(rows[*place]) != name) return std::nullopt;
  return *place;
}

}  // namespace pkvm
