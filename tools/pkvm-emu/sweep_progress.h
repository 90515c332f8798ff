// SPDX-License-Identifier: GPL-2.0-only
// How far a sweep is, on one line of a terminal; nothing elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pkvmemu::tool {

class SweepProgress {
 public:
  /// `shows`: standard error is a terminal, and nobody asked for quiet.
  explicit SweepProgress(bool shows) : shows_(shows), begin_(Clock::now()) {}
  ~SweepProgress() { clear(); }
  SweepProgress(const SweepProgress&) = delete;
  SweepProgress& operator=(const SweepProgress&) = delete;

  /// How many cases there will be; 0 while nobody knows, and with pairs, which only failing runs
  /// tell.
  void expect(std::uint64_t cases) { expected_ = cases; }
  void add(bool finding);
  /// Draws, a few times a second at most.
  void show();
  void clear();

  [[nodiscard]] std::uint64_t cases() const { return cases_; }
  [[nodiscard]] double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  bool shows_;
  bool drawn_ = false;
  Clock::time_point begin_;
  Clock::time_point last_{};
  std::uint64_t expected_ = 0;
  std::uint64_t cases_ = 0;
  std::uint64_t findings_ = 0;
};

/// "[#####.....]  512 of 1024  430/s  2 s left  3 findings".
std::string progress_line(std::uint64_t cases, std::uint64_t expected, std::uint64_t findings,
                          double seconds);

}  // namespace pkvmemu::tool
