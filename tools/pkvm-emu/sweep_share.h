// SPDX-License-Identifier: GPL-2.0-only
// Which part of a sweep a process carries out, when several computers share it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "support/result.h"

namespace pkvmemu::tool {

/// Those cases whose number is `index` modulo `count`.
struct Share {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
  bool operator==(const Share&) const = default;

  /// The part of this share that worker `number` of `workers` carries out.
  [[nodiscard]] constexpr Share of_worker(unsigned number, unsigned workers) const {
    return {.index = index + (count * number), .count = count * workers};
  }
};

/// "I/N", I from 0 to N - 1.
Result<Share> parse_share(std::string_view text);

/// Looks a variable of the environment up.
using Environment = std::function<std::optional<std::string>(const std::string&)>;

/// What is told by Slurm (SLURM_ARRAY_TASK_ID, _MIN, _STEP, _COUNT), or, when PKVM_EMU_SHARDS says
/// how many there are, by Kubernetes (JOB_COMPLETION_INDEX, from 0) or GNU parallel (PARALLEL_SEQ,
/// from 1). Nothing outside of them; an error when what they tell makes no sense.
Result<std::optional<Share>> share_of(const Environment& environment);

}  // namespace pkvmemu::tool
