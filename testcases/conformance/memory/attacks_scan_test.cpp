// SPDX-License-Identifier: GPL-2.0-only
// After each attack of the ready set (firmware/host/vm/attack_rows.cpp) the page tables of the
// whole machine: every page of RAM is the host's or the hypervisor's, as in a run without attacks.
#include <algorithm>
#include <string>
#include <vector>

#include "conformance/memory/memory_test.h"
#include "conformance/memory/page_scan.h"
#include "harness/in_process.h"
#include "pkvm/event.h"

namespace pkvmemu::test {
namespace {

constexpr std::uint64_t ram_size = std::uint64_t{256} << 20;

class AttackScan : public MemoryTest {
 protected:
  /// A run of these attacks, none for "".
  static std::unique_ptr<machine::Machine> attacked(const std::string& pattern) {
    tool::RunOptions options;
    options.modules = {module(std::string(GetParam().kmi) + "/memory")};
    options.wishes = PageScan::first_calls();
    options.no_pvm = true;
    if (!pattern.empty())
      options.wishes.push_back({.verb = tool::RcVerb::attack, .target = pattern, .args = {}});
    auto machine = boot_in_process(options, ram_size);
    EXPECT_EQ(machine->run().reason, machine::ExitReason::powered_off) << pattern;
    return machine;
  }
  static std::vector<std::string> attacks_in(const machine::Machine& machine) {
    std::vector<std::string> names;
    for (const machine::Event& event : machine.events())
      if (event.record.kind == pkvm::event::Kind::attack_begin)
        names.emplace_back(static_cast<const char*>(event.record.name));
    return names;
  }
};
PKVMEMU_EACH_GENERATION(AttackScan);

// No page is lost, and none is both's, after all of them and after each one alone.
TEST_P(AttackScan, EveryPageHasOneOwner) {
  const auto peaceful = attacked("");
  const PageScan::Unclear expected = PageScan(*peaceful).unclear_frames(ram_size);
  const auto all = attacked("*");
  EXPECT_EQ(PageScan(*all).unclear_frames(ram_size), expected);
  const std::vector<std::string> names = attacks_in(*all);
  EXPECT_GT(names.size(), 70U);
  for (const std::string& name : names) {
    const auto machine = attacked(name);
    EXPECT_EQ(attacks_in(*machine), std::vector{name});
    EXPECT_EQ(PageScan(*machine).unclear_frames(ram_size), expected) << name;
  }
}

// The scan sees a page that is both's, and one that is neither's.
TEST_P(AttackScan, SeesWhatIsUnclear) {
  constexpr std::uint64_t shared = 0x48000, taken = 0x48001;
  const auto run = [](std::vector<tool::RcLine> more) {
    tool::RunOptions options;
    options.modules = {module(std::string(GetParam().kmi) + "/memory")};
    options.wishes = PageScan::first_calls();
    options.no_pvm = true;
    options.wishes.insert(options.wishes.end(), more.begin(), more.end());
    auto machine = boot_in_process(options, ram_size);
    EXPECT_EQ(machine->run().reason, machine::ExitReason::powered_off);
    return PageScan(*machine).unclear_frames(ram_size);
  };
  const auto call = [](memory_operation operation, std::vector<std::uint64_t> arguments) {
    arguments.insert(arguments.begin(), static_cast<std::uint64_t>(operation));
    return tool::RcLine{
        .verb = tool::RcVerb::call, .target = "memory_hvc", .args = std::move(arguments)};
  };
  const PageScan::Unclear usual = run({});
  const PageScan::Unclear now =
      run({call(MEMORY_SHARE, {shared}), call(MEMORY_MOD_PROT, {taken, 0, 1, 0})});
  PageScan::Unclear expected = usual;
  expected.both.push_back(shared);
  expected.neither.push_back(taken);
  std::ranges::sort(expected.both);
  std::ranges::sort(expected.neither);
  EXPECT_EQ(now, expected);
}

}  // namespace
}  // namespace pkvmemu::test
