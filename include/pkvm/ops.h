// SPDX-License-Identifier: GPL-2.0-only
// The slots of struct pkvm_module_ops as data; ops.def is the description they come from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvm {

struct OpRow {
  static constexpr std::int16_t absent = -1;
  std::string_view name;
  bool exists;  ///< false: reports op_missing when called
  std::array<std::int16_t, generation_count> slot;

  constexpr std::int16_t slot_in(Generation id) const { return slot[static_cast<std::size_t>(id)]; }
};

// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define PKVM_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12) \
  OpRow{#name, true, {g6_1, g6_6, g6_12}},
#define PKVM_MISSING_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12) \
  OpRow{#name, false, {g6_1, g6_6, g6_12}},
#define PKVM_PRESERVE_OP PKVM_OP
// NOLINTEND(cppcoreguidelines-macro-usage)
inline constexpr auto op_rows = std::to_array<OpRow>({
#include "pkvm/ops.def"
});
#undef PKVM_OP
#undef PKVM_MISSING_OP
#undef PKVM_PRESERVE_OP

/// Rows of ops.def by their variant's name.
enum class OpId : std::uint16_t {
#define PKVM_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12) variant,
#define PKVM_MISSING_OP PKVM_OP
#define PKVM_PRESERVE_OP PKVM_OP
#include "pkvm/ops.def"
#undef PKVM_OP
#undef PKVM_MISSING_OP
#undef PKVM_PRESERVE_OP
};

/// The op in `slot` of generation `id`; empty for a reserve.
constexpr std::string_view op_name(Generation id, std::size_t slot) {
  for (const OpRow& row : op_rows)
    if (row.slot_in(id) >= 0 && static_cast<std::size_t>(row.slot_in(id)) == slot) return row.name;
  return {};
}

}  // namespace pkvm
