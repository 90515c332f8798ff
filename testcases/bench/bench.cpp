// SPDX-License-Identifier: GPL-2.0-only
// How fast we are, in one run and one table: against QEMU on the same exported files, and against
// the bare engine. It prints what is wanted beside what is, and judges nothing. `--quick` only
// shows that everything runs; `--pair OLD NEW` compares two of our executables.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binary_pair.h"
#include "guest_runs.h"
#include "pkvm/guest.h"
#include "statistics.h"
#include "straight_code.h"
#include "support/result.h"
#include "sweep_cost.h"

namespace pkvmemu::bench {
namespace {

struct Effort {
  unsigned pairs;
  std::uint64_t calls;        ///< N; the per-call time is from 2N minus N
  std::uint64_t loop_rounds;  ///< of 64 instructions
  SweepEffort sweeps;
};
constexpr Effort full = {.pairs = 11,
                         .calls = 400'000,
                         .loop_rounds = 10'000'000,
                         .sweeps = {.pairs = 5, .restores = 200}};
constexpr Effort quick = {.pairs = 1, .calls = 2'000, .loop_rounds = 20'000, .sweeps = {}};

double median_seconds(const std::vector<ChildRun>& runs) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const ChildRun& run : runs)
    values.push_back(run.seconds);
  return median(values);
}

double largest_resident(const std::vector<ChildRun>& runs) {
  return std::ranges::max(runs, {}, &ChildRun::resident_mib).resident_mib;
}

std::string times(double ratio) {
  return fmt::format("{:.2f} x", ratio);
}

Result<void> add_whole_run(const GuestRuns& guest, const Effort& effort, std::vector<Row>& rows) {
  const auto runs = guest.run(1, effort.pairs);
  if (!runs) return std::unexpected(runs.error());
  const double ours = median_seconds(runs->ours);
  const double qemu = median_seconds(runs->qemu);
  rows.push_back({"process start to power-off, 1 module, 1 call",
                  fmt::format("{:.1f} ms", ours * 1e3), fmt::format("{:.1f} ms", qemu * 1e3),
                  times(qemu / ours), ">= 3"});
  const double our_memory = largest_resident(runs->ours);
  const double qemu_memory = largest_resident(runs->qemu);
  rows.push_back({"resident memory of that run", fmt::format("{:.1f} MiB", our_memory),
                  fmt::format("{:.1f} MiB", qemu_memory), times(qemu_memory / our_memory),
                  "< 64 MiB"});
  return {};
}

Result<void> add_round_trip(const GuestRuns& guest, const Effort& effort, std::vector<Row>& rows) {
  const auto once = guest.run(effort.calls, effort.pairs);
  if (!once) return std::unexpected(once.error());
  const auto twice = guest.run(2 * effort.calls, effort.pairs);
  if (!twice) return std::unexpected(twice.error());
  const auto nanoseconds = [&](const std::vector<ChildRun>& n, const std::vector<ChildRun>& n2) {
    return (median_seconds(n2) - median_seconds(n)) / static_cast<double>(effort.calls) * 1e9;
  };
  const double ours = nanoseconds(once->ours, twice->ours);
  const double qemu = nanoseconds(once->qemu, twice->qemu);
  rows.push_back({"HVC from EL1 to a handler and back", fmt::format("{:.0f} ns", ours),
                  fmt::format("{:.0f} ns", qemu), times(qemu / ours), ">= 1.5"});
  return {};
}

Result<void> add_own_vm(const GuestRuns& guest, const Effort& effort, std::vector<Row>& rows) {
  const auto runs = guest.run_with_and_without_vm(effort.pairs);
  if (!runs) return std::unexpected(runs.error());
  const double with = median_seconds(runs->ours);
  const double without = median_seconds(runs->qemu);
  rows.push_back({"that run with, and without (--no-pvm) its VM",
                  fmt::format("{:.1f} ms", with * 1e3), fmt::format("{:.1f} ms", without * 1e3),
                  times(without / with), ""});
  return {};
}

/// A run with a protected VM of a program, on both machines.
struct GuestSeconds {
  double ours = 0;
  double qemu = 0;
};
Result<GuestSeconds> guest_seconds(const GuestRuns& guest, const Effort& effort,
                                   const std::string& wishes) {
  const auto runs = guest.run_wishes(wishes, effort.pairs);
  if (!runs) return std::unexpected(runs.error());
  return GuestSeconds{.ours = median_seconds(runs->ours), .qemu = median_seconds(runs->qemu)};
}

/// What a guest's exits cost is what its run takes longer than that of one that only prints.
Result<void> add_guests(const GuestRuns& guest, const Effort& effort, std::vector<Row>& rows) {
  const auto hello = guest_seconds(guest, effort, "pvm hello\n");
  if (!hello) return std::unexpected(hello.error());
  rows.push_back({"run with a protected VM: boot, print, tear down",
                  fmt::format("{:.1f} ms", hello->ours * 1e3),
                  fmt::format("{:.1f} ms", hello->qemu * 1e3), times(hello->qemu / hello->ours),
                  ">= 3"});
  struct Program {
    const char* wish;
    const char* what;
  };
  for (const auto& [wish, what] :
       {Program{.wish = "pvm calls\n", .what = "call of a guest, answered at EL2"},
        Program{.wish = "pvm exits\n", .what = "exit of a guest to the host and back"}}) {
    const auto many = guest_seconds(guest, effort, wish);
    if (!many) return std::unexpected(many.error());
    constexpr auto rounds = static_cast<double>(pkvm::guest::benchmark_rounds);
    const double ours = (many->ours - hello->ours) / rounds * 1e9;
    const double qemu = (many->qemu - hello->qemu) / rounds * 1e9;
    rows.push_back({what, fmt::format("{:.0f} ns", ours), fmt::format("{:.0f} ns", qemu),
                    times(qemu / ours), ""});
  }
  return {};
}

Result<void> add_straight_code(LoopBody body, std::string_view name, const Effort& effort,
                               std::vector<Row>& rows) {
  std::vector<double> ours;
  std::vector<double> bare;
  for (unsigned i = 0; i < effort.pairs; ++i) {
    const auto our_time = loop_on_our_machine(body, effort.loop_rounds);
    if (!our_time) return std::unexpected(our_time.error());
    const auto bare_time = loop_on_bare_engine(body, effort.loop_rounds);
    if (!bare_time) return std::unexpected(bare_time.error());
    ours.push_back(*our_time);
    bare.push_back(*bare_time);
  }
  const auto instructions = static_cast<double>(effort.loop_rounds * instructions_per_round);
  const auto mips = [&](double seconds) {
    return fmt::format("{:.0f} MIPS", instructions / seconds / 1e6);
  };
  const double our_seconds = median(ours);
  const double bare_seconds = median(bare);
  rows.push_back({fmt::format("straight code, {} (engine)", name), mips(our_seconds),
                  mips(bare_seconds), times(bare_seconds / our_seconds), ""});
  return {};
}

Result<void> run(const Effort& effort, const std::filesystem::path& folder) {
  const auto guest = GuestRuns::create(folder);
  if (!guest) return std::unexpected(guest.error());
  std::vector<Row> rows = {{"", "ours", "QEMU or engine", "ratio", "wanted"}};
  if (auto done = add_whole_run(*guest, effort, rows); !done) return done;
  if (auto done = add_round_trip(*guest, effort, rows); !done) return done;
  if (auto done = add_own_vm(*guest, effort, rows); !done) return done;
  if (auto done = add_guests(*guest, effort, rows); !done) return done;
  if (auto done = add_sweeps(*guest, folder, effort.sweeps, rows); !done) return done;
  if (auto done = add_restores(effort.sweeps, rows); !done) return done;
  struct Loop {
    LoopBody body;
    std::string_view name;
    std::string_view wanted;
  };
  for (const Loop& loop : {Loop{LoopBody::arithmetic, "arithmetic", ">= 0.9"},
                           Loop{LoopBody::memory, "loads and stores", ">= 0.9"},
                           Loop{LoopBody::short_blocks, "4-instruction blocks", "-"}}) {
    if (auto done = add_straight_code(loop.body, loop.name, effort, rows); !done) return done;
    rows.back().wanted = loop.wanted;
  }
  print_table(rows);
  std::fputs(
      fmt::format("Medians of {} runs of each, alternating. QEMU has the same exported files, the\n"
                  "engine is Unicorn with nothing of ours around it.\n",
                  effort.pairs)
          .c_str(),
      stdout);
  return {};
}

}  // namespace
}  // namespace pkvmemu::bench

namespace {

pkvmemu::Result<void> run_as_told(std::span<char* const> arguments,
                                  const std::filesystem::path& folder) {
  using namespace pkvmemu::bench;
  if (arguments.size() == 4)
    return compare_binaries({.before = arguments[2], .after = arguments[3]}, folder);
  return run(arguments.size() == 2 ? quick : full, folder);
}

/// Nothing, --quick, or --pair and two files.
bool understood(std::span<char* const> arguments) {
  const std::string_view option = arguments.size() > 1 ? arguments[1] : "";
  return arguments.size() == 1 || (arguments.size() == 2 && option == "--quick") ||
         (arguments.size() == 4 && option == "--pair");
}

int run_bench(std::span<char* const> arguments) {
  using namespace pkvmemu;
  if (!understood(arguments)) {
    std::fputs("Usage: bench [--quick | --pair OLD NEW]\n", stderr);
    return 2;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "pkvm-emu-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    std::fputs("bench: cannot create a temporary directory\n", stderr);
    return 1;
  }
  const auto done = run_as_told(arguments, folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!done) std::fputs(fmt::format("bench: {}\n", done.error().message).c_str(), stderr);
  return done ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_bench({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench: %s\n", problem.what());
    return 1;
  }
}
