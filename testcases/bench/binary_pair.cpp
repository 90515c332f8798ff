// SPDX-License-Identifier: GPL-2.0-only
#include "binary_pair.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "child.h"
#include "guest_runs.h"
#include "statistics.h"

namespace pkvmemu::bench {
namespace {

constexpr unsigned pairs = 15;
constexpr std::uint64_t many_calls = 400'000;

/// Seconds of the two in one pair.
struct Seconds {
  double before = 0;
  double after = 0;
};

Result<double> time_of(const std::filesystem::path& binary, const std::filesystem::path& archive) {
  const auto run = run_child({binary, "run", "-q", "--initramfs", archive, "hello"});
  if (!run) return std::unexpected(run.error());
  return run->seconds;
}

/// The one that runs first has the colder caches: it is each one's turn.
Result<Seconds> run_pair(const BinaryPair& binaries, const std::filesystem::path& archive,
                         unsigned number) {
  const bool swapped = number % 2 == 1;
  const auto first = time_of(swapped ? binaries.after : binaries.before, archive);
  if (!first) return std::unexpected(first.error());
  const auto second = time_of(swapped ? binaries.before : binaries.after, archive);
  if (!second) return std::unexpected(second.error());
  return swapped ? Seconds{.before = *second, .after = *first}
                 : Seconds{.before = *first, .after = *second};
}

Result<std::vector<Seconds>> run_pairs(const BinaryPair& binaries, const GuestRuns& guest,
                                       std::uint64_t calls) {
  if (auto set = guest.set_calls(calls); !set) return std::unexpected(set.error());
  std::vector<Seconds> all;
  for (unsigned i = 0; i < pairs; ++i) {
    const auto pair = run_pair(binaries, guest.initramfs(), i);
    if (!pair) return std::unexpected(pair.error());
    all.push_back(*pair);
  }
  return all;
}

/// Medians of both, and of the pairs' ratios.
Row row_of(const std::string& what, const std::vector<Seconds>& all, double scale,
           std::string_view unit) {
  std::vector<double> before;
  std::vector<double> after;
  std::vector<double> ratios;
  for (const Seconds& pair : all) {
    before.push_back(pair.before);
    after.push_back(pair.after);
    ratios.push_back(pair.before / pair.after);
  }
  const auto text = [&](std::vector<double> values) {
    return fmt::format("{:.1f} {}", median(std::move(values)) * scale, unit);
  };
  return {what, text(before), text(after), fmt::format("{:.3f}", median(ratios)), ""};
}

}  // namespace

Result<void> compare_binaries(const BinaryPair& binaries, const std::filesystem::path& folder) {
  const auto guest = GuestRuns::create(folder);
  if (!guest) return std::unexpected(guest.error());
  const auto load = run_pairs(binaries, *guest, 1);
  if (!load) return std::unexpected(load.error());
  auto calls = run_pairs(binaries, *guest, many_calls);
  if (!calls) return std::unexpected(calls.error());
  std::vector<Seconds> trips;
  for (unsigned i = 0; i < pairs; ++i)
    trips.push_back({.before = (*calls)[i].before - (*load)[i].before,
                     .after = (*calls)[i].after - (*load)[i].after});
  constexpr double milli = 1e3;
  constexpr double nano = 1e9;
  print_table({{"", "old", "new", "old/new", ""},
               row_of("start to power-off, 1 module, 1 call", *load, milli, "ms"),
               row_of(fmt::format("the same with {} calls", many_calls), *calls, milli, "ms"),
               row_of("an HVC and back, their difference", trips, nano / many_calls, "ns")});
  std::fputs(fmt::format(
                 "Medians of {} pairs and of their ratios; above 1 the new one is faster.\n", pairs)
                 .c_str(),
             stdout);
  return {};
}

}  // namespace pkvmemu::bench
