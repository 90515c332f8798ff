// SPDX-License-Identifier: GPL-2.0-only
// When it is a fault's turn: which of the times that its place is reached. The words and their
// meaning are those of Linux's fault injection (Documentation/fault-injection), one unit of `space`
// being one occurrence.
#pragma once

#include <cstdint>
#include <limits>

#include "fault/random.h"

namespace pkvmemu::fault {

inline constexpr std::uint64_t every_time = std::numeric_limits<std::uint64_t>::max();
inline constexpr unsigned always = 100;

struct Turn {
  std::uint64_t nth = 1;          ///< not before the nth time, counted from 1
  std::uint64_t space = 0;        ///< then so many are let pass
  std::uint64_t interval = 1;     ///< then only every so manieth
  unsigned probability = always;  ///< then so many of a hundred, by lot
  std::uint64_t times = 1;        ///< at most so often in all

  bool operator==(const Turn&) const = default;
};

/// Counts occurrences and says of each whether it fails.
class TurnCount {
 public:
  explicit TurnCount(const Turn& turn) : turn_(turn) {}

  bool takes_next(Random& random) {
    ++seen_;
    if (seen_ < turn_.nth || taken_ == turn_.times) return false;
    if (passed_ < turn_.space) {
      ++passed_;
      return false;
    }
    if (++in_interval_ % turn_.interval != 0 && turn_.interval > 1) return false;
    if (turn_.probability < always && random.below(always) >= turn_.probability) return false;
    ++taken_;
    return true;
  }

 private:
  Turn turn_;
  std::uint64_t seen_ = 0;
  std::uint64_t passed_ = 0;
  std::uint64_t in_interval_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace pkvmemu::fault
