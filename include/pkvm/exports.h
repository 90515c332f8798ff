// SPDX-License-Identifier: GPL-2.0-only
// The names that our EL1 kernel exports to modules, as data; exports.def is where they come from.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace pkvm {

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one list, many uses.
#define PKVM_EXPORT(name, symbol) std::string_view{#name},
inline constexpr auto export_names = std::to_array<std::string_view>({
#include "pkvm/exports.def"
});
#undef PKVM_EXPORT

constexpr bool is_exported(std::string_view name) {
  return std::ranges::find(export_names, name) != export_names.end();
}

}  // namespace pkvm
