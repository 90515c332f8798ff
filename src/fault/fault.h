// SPDX-License-Identifier: GPL-2.0-only
// One fault: at which site, at which of the times that it is reached, with what answer.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "fault/sites.h"
#include "support/result.h"

namespace pkvmemu::fault {

inline constexpr std::uint64_t every_time = std::numeric_limits<std::uint64_t>::max();

struct Fault {
  std::string site;
  std::uint64_t nth = 1;    ///< the first time that it fails, counted from 1
  std::uint64_t times = 1;  ///< how often in a row; every_time: from then on
  std::int64_t answer = 0;  ///< a negative error number; 1 where the site answers with nothing

  /// Whether the occurrence `count`, counted from 1, fails.
  [[nodiscard]] bool hits(std::uint64_t count) const { return count >= nth && count - nth < times; }
};

/// "SITE[:nth=N][:times=N|all][:return=ERROR]", where ERROR is "ENOMEM", "-12" or "12". The message
/// of an unknown site names those that are alike.
Result<Fault> parse_fault(std::string_view text, std::span<const Site> sites);

}  // namespace pkvmemu::fault
