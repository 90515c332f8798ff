// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include "child.h"
#include "machine/machine.h"
#include "pkvm/platform.h"
#include "support/file.h"

namespace pkvmemu::bench {
namespace {

const std::string binary = PKVMEMU_BUILD_DIR "/bin/pkvm-emu";
const std::string hello = PKVMEMU_BUILD_DIR "/modules/hello.ko";

struct SweepTime {
  double seconds = 0;
  double resident_mib = 0;
  std::ptrdiff_t cases = 0;
};

/// Each record is a line, after one that says what was swept.
Result<SweepTime> sweep(unsigned jobs, const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  const auto run = run_child({binary, "sweep", hello, "--once", "--persistent", "--jobs",
                              std::to_string(jobs), "--json", folder});
  if (!run) return std::unexpected(run.error());
  std::ifstream file(folder / "shard-0-of-1.jsonl");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return SweepTime{.seconds = run->seconds,
                   .resident_mib = run->resident_mib,
                   .cases = std::ranges::count(text, '\n') - 1};
}

double median_seconds(const std::vector<ChildRun>& runs) {
  std::vector<double> values;
  for (const ChildRun& run : runs)
    values.push_back(run.seconds);
  return median(std::move(values));
}

/// Nanoseconds of one restore after stores to so many pages.
Result<double> restore_after(machine::Machine& machine, machine::SnapshotId snapshot,
                             std::uint64_t pages, unsigned restores) {
  constexpr Pa far_from_code{pkvm::platform::ram_base + (pkvm::platform::default_ram_size / 2)};
  constexpr std::byte written{0x5a};
  std::vector<double> times;
  for (unsigned i = 0; i < restores; ++i) {
    for (std::uint64_t page = 0; page < pages; ++page)
      if (auto done =
              machine.write_memory(far_from_code + (page * page_size), std::span(&written, 1));
          !done)
        return std::unexpected(done.error());
    const auto begin = std::chrono::steady_clock::now();
    if (auto restored = machine.restore(snapshot); !restored)
      return std::unexpected(restored.error());
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return median(std::move(times)) * 1e9;
}

}  // namespace

Result<void> add_sweeps(const GuestRuns& guest, const std::filesystem::path& folder,
                        const SweepEffort& effort, std::vector<Row>& rows) {
  std::vector<double> one_worker;
  std::vector<double> speed_up;
  double resident = 0;
  for (unsigned i = 0; i < effort.pairs; ++i) {
    const auto one = sweep(1, folder / "records");
    if (!one) return std::unexpected(one.error());
    const auto two = sweep(2, folder / "records");
    if (!two) return std::unexpected(two.error());
    one_worker.push_back(static_cast<double>(one->cases) / one->seconds);
    speed_up.push_back(one->seconds / two->seconds);
    resident = std::max(resident, one->resident_mib);
  }
  const auto boots = guest.run_wishes("", effort.pairs);
  if (!boots) return std::unexpected(boots.error());
  const double cases = median(std::move(one_worker));
  const double boots_a_second = 1 / median_seconds(boots->qemu);
  rows.push_back({"cases a second and core, each with its VM; QEMU: boots",
                  fmt::format("{:.0f} /s", cases), fmt::format("{:.1f} /s", boots_a_second),
                  fmt::format("{:.0f} x", cases / boots_a_second), ">= 2000 /s"});
  rows.push_back({"two workers against one", "", "",
                  fmt::format("{:.2f} x", median(std::move(speed_up))), ">= 1.9"});
  rows.push_back({"resident memory of a worker", fmt::format("{:.1f} MiB", resident), "", "", ""});
  return {};
}

Result<void> add_restores(const SweepEffort& effort, std::vector<Row>& rows) {
  const auto kernel = read_file(PKVMEMU_BUILD_DIR "/firmware/pkvm-firmware.Image");
  if (!kernel) return std::unexpected(kernel.error());
  machine::Config config;
  config.kernel = *kernel;
  auto machine = machine::Machine::create(config);
  if (!machine) return std::unexpected(machine.error());
  constexpr std::uint64_t some_instructions = 100'000;
  (*machine)->run_until({.instructions = some_instructions, .place = {}});
  const auto snapshot = (*machine)->take_snapshot();
  if (!snapshot) return std::unexpected(snapshot.error());
  for (const std::uint64_t pages : std::to_array<std::uint64_t>({1, 16, 256, 4096})) {
    const auto nanoseconds = restore_after(**machine, *snapshot, pages, effort.restores);
    if (!nanoseconds) return std::unexpected(nanoseconds.error());
    rows.push_back({fmt::format("restore after stores to {} pages", pages),
                    fmt::format("{:.1f} us", *nanoseconds / 1e3), "", "", ""});
  }
  return {};
}

}  // namespace pkvmemu::bench
