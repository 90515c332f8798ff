// SPDX-License-Identifier: GPL-2.0-only
// The slots of struct pkvm_module_ops as data; ops.def is the description they come from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
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
inline constexpr auto op_rows = std::to_array<OpRow>({
#include "pkvm/ops.def"
});

/// Rows of ops.def by their variant's name.
enum class OpId : std::uint16_t {
#define PKVM_OP(name, variant, returns, parameters, g6_1, g6_6, g6_12) variant,
#include "pkvm/ops.def"
};

/// A slot that was a KABI reserve when the generation's layout was frozen.
struct KabiRow {
  OpId op;
  Generation generation;
  std::uint16_t reserve;   ///< the reserve's number
  std::uint16_t sublevel;  ///< x of the first release 6.y.x that uses the slot
};

#define PKVM_KABI(variant, generation, reserve, sublevel) \
  KabiRow{OpId::variant, Generation::generation, reserve, sublevel},
inline constexpr auto kabi_rows = std::to_array<KabiRow>({
#include "pkvm/ops.def"
});
// NOLINTEND(cppcoreguidelines-macro-usage)

/// The row of ops.def for `slot` of generation `id`, whatever the release; nullopt for a reserve.
constexpr std::optional<OpId> op_at(Generation id, std::size_t slot) {
  for (std::size_t i = 0; i < op_rows.size(); ++i) {
    const std::int16_t own = op_rows[i].slot_in(id);
    if (own >= 0 && static_cast<std::size_t>(own) == slot) return static_cast<OpId>(i);
  }
  return std::nullopt;
}

constexpr const OpRow& row_of(OpId op) {
  return op_rows[static_cast<std::size_t>(op)];
}

/// The first release of `id` that has the op; 0 for what the frozen layout has.
constexpr unsigned first_sublevel(OpId op, Generation id) {
  for (const KabiRow& row : kabi_rows)
    if (row.op == op && row.generation == id) return row.sublevel;
  return 0;
}

/// Whether the release that our firmware models by default has the op (6.6.77, say).
constexpr bool in_baseline(OpId op, Generation id) {
  return first_sublevel(op, id) <= info(id).sublevel;
}

/// The op in `slot` of generation `id`; empty for what is a reserve at its baseline.
constexpr std::string_view op_name(Generation id, std::size_t slot) {
  const std::optional<OpId> op = op_at(id, slot);
  return op && in_baseline(*op, id) ? row_of(*op).name : std::string_view{};
}

}  // namespace pkvm
