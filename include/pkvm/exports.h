// SPDX-License-Identifier: GPL-2.0-only
// The names that our EL1 kernel exports to modules, as data; exports.def is where they come from.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "pkvm/name_order.h"

namespace pkvm {

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one list, many uses.
#define PKVM_EXPORT(name, symbol) std::string_view{#name},
inline constexpr auto export_names = std::to_array<std::string_view>({
#include "pkvm/exports.def"
});
#undef PKVM_EXPORT

inline constexpr auto export_order = order_of_names(export_names, std::identity{});

/// The row of exports.def with this name.
constexpr std::optional<std::size_t> find_export(std::string_view name) {
  return find_name(export_names, export_order, std::identity{}, name);
}

constexpr bool is_exported(std::string_view name) {
  return find_export(name).has_value();
}

}  // namespace pkvm
