// SPDX-License-Identifier: GPL-2.0-only
// A module's file that is damaged before it is loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/result.h"

namespace pkvmemu::fault {

struct Corruption {
  enum class Kind : std::uint8_t { exclusive_or, overwrite };

  std::string module;
  std::optional<std::string> section;  ///< the offset is in its content; else in the file
  std::uint64_t offset = 0;
  Kind kind = Kind::exclusive_or;
  std::vector<std::byte> bytes;
  std::string where;  ///< in the plan: "plan.yaml:3:5"
};

/// Changes the file, and tells in words what was changed. An error when there is no such place in
/// it.
Result<std::string> corrupt(std::span<std::byte> file, const Corruption& corruption);

}  // namespace pkvmemu::fault
