// SPDX-License-Identifier: GPL-2.0-only
// What happens when there is no page for a page table (pkvm-abi.md 1.6, 7.6, 7.7): provoked by
// fault sites, since nothing from outside uses the hypervisor's pool up. On our machine only.
#include <fmt/format.h>

#include "conformance/memory/memory_test.h"

namespace pkvmemu::test {
namespace {

constexpr std::uint64_t mib_2_frames = 512;

class Exhaustion : public MemoryTest {
 protected:
  static Arguments call(memory_operation operation, const Script::Values& arguments) {
    std::string text = fmt::format("memory_hvc:{}", static_cast<int>(operation));
    for (const std::uint64_t argument : arguments)
      text += fmt::format(",{:#x}", argument);
    return {"--call", text};
  }
  static Arguments donate(std::uint64_t frame) { return call(MEMORY_DONATE, {frame, 1, 0}); }
  static Arguments touch(std::uint64_t address) { return {"--touch", read_of(address)}; }

  static Arguments joined(std::initializer_list<Arguments> parts) {
    Arguments all;
    for (const Arguments& part : parts)
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }

  static EmulatorRun run_steps(const Arguments& steps, const std::string& fault) {
    return run_emulator(joined({{module(fmt::format("{}/memory", GetParam().kmi)), "--no-pvm"},
                                steps,
                                {"--fail", fault}}));
  }
  /// How often the site is reached by a run of these steps.
  static std::uint64_t times(const std::string& site, const Arguments& steps) {
    const auto run = run_steps(steps, site + ":nth=1000000");
    return run.report.at("faults").at(0).at("reached").get<std::uint64_t>();
  }
  /// The site fails once, the first time that `steps` reach it after `before`.
  static EmulatorRun fail_after(const std::string& site, const Arguments& before,
                                const Arguments& steps) {
    const std::uint64_t reached = times(site, before);
    EXPECT_GT(times(site, joined({before, steps})), reached) << "the steps never come there";
    auto run = run_steps(joined({before, steps}), fmt::format("{}:nth={}", site, reached + 1));
    EXPECT_EQ(run.report.at("faults").at(0).at("fired"), 1);
    return run;
  }
  static std::int64_t answer(const EmulatorRun& run, std::size_t index) {
    return static_cast<std::int64_t>(std::stoull(
        run.report.at("calls").at(index).at("result").at(1).get<std::string>(), nullptr, 16));
  }
};
PKVMEMU_EACH_GENERATION(Exhaustion);

// After the checks 6.1 and 6.6 have no way back: the hypervisor panics. 6.12 answers -ENOMEM, and
// the page is as it was: the host reads it, and can give it again.
TEST_P(Exhaustion, OfADonation) {
  const auto run =
      fail_after("hyp.host.annotate", {},
                 joined({donate(free_frame), touch(address_of(free_frame)), donate(free_frame)}));
  if (is(g6_12)) {
    EXPECT_EQ(answer(run, 0), enomem);
    EXPECT_EQ(run.report.at("touches").at(0).at("state"), "done");
    EXPECT_EQ(answer(run, 1), 0);
  } else {
    EXPECT_EQ(run.process.exit_code, 12) << run.process.out;
  }
  holds("7.6/enomem", HeldOn::machine);
}

// The entries of a list that were given before the failing one are the host's again.
TEST_P(Exhaustion, OfAListOfPages) {
  if (!is(g6_12)) GTEST_SKIP() << "no host_donate_sglist_hyp in this generation";
  constexpr std::uint64_t second = free_frame + (2 * mib_2_frames);
  // So that the second entry is the one that fails, the first has been through once.
  const auto list = call(MEMORY_DONATE_LIST, {2, free_frame, second});
  const std::uint64_t before = times("hyp.host.annotate", {});
  ASSERT_EQ(times("hyp.host.annotate", list), before + 2);
  const auto run =
      run_steps(joined({list, touch(address_of(free_frame)), touch(address_of(second)), list}),
                fmt::format("hyp.host.annotate:nth={}", before + 2));
  EXPECT_EQ(answer(run, 0), enomem);
  for (const std::size_t page : {0U, 1U})
    EXPECT_EQ(run.report.at("touches").at(page).at("state"), "done") << page;
  EXPECT_EQ(answer(run, 1), 0) << "a whole list is taken later";
  holds("1.6/host_donate_sglist_hyp.rollback", HeldOn::machine);
}

// A mapping outside memory that finds no page for its table has those outside memory let go, and is
// made then: the access ends as always, at the board, which has nothing there. Those that went are
// made anew.
TEST_P(Exhaustion, OfTheHostsMappingsIsMended) {
  constexpr std::uint64_t uart = 0x0900'0000;
  constexpr std::uint64_t beyond = std::uint64_t{512} << 30;  // a table for the first level more
  constexpr std::string_view external_abort = "0x96000010";
  const auto steps = joined({touch(beyond), touch(uart)});
  const auto run = fail_after("hyp.pool.take", {}, steps);
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  EXPECT_EQ(run.report.at("touches").at(0).at("esr"), external_abort);
  EXPECT_EQ(run.report.at("touches").at(1).at("state"), "done");
  holds("7.7/recycle", HeldOn::machine);
}

}  // namespace
}  // namespace pkvmemu::test
