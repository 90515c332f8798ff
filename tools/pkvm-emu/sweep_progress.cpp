// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace pkvmemu::tool {

void SweepProgress::add(bool finding) {
  ++cases_;
  if (finding) ++findings_;
}

double SweepProgress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count();
}

void SweepProgress::show() {
  constexpr auto pause = std::chrono::milliseconds(200);
  const auto now = Clock::now();
  if (!shows_ || now - last_ < pause) return;
  last_ = now;
  drawn_ = true;
  fmt::print(stderr, "\r\033[K{}", progress_line(cases_, expected_, findings_, seconds()));
  std::fflush(stderr);
}

void SweepProgress::clear() {
  if (!drawn_) return;
  drawn_ = false;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

std::string progress_line(std::uint64_t cases, std::uint64_t expected, std::uint64_t findings,
                          double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(cases) / seconds : 0;
  const std::string found = fmt::format("{} finding{}", findings, findings == 1 ? "" : "s");
  if (expected == 0)
    return fmt::format("{} case{}  {:.0f}/s  {}", cases, cases == 1 ? "" : "s", rate, found);
  constexpr std::uint64_t width = 24;
  const std::uint64_t filled = std::min(width, cases * width / expected);
  const auto left = static_cast<double>(expected - std::min(cases, expected));
  const std::string time = rate > 0 ? fmt::format("{:.0f} s left", left / rate) : "no time known";
  return fmt::format("[{:#<{}}{:.<{}}]  {} of {}  {:.0f}/s  {}  {}", "", filled, "", width - filled,
                     cases, expected, rate, time, found);
}

}  // namespace pkvmemu::tool
