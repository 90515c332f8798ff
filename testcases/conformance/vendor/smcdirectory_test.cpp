// SPDX-License-Identifier: GPL-2.0-only
// The samples smcdirectory and dirclient and their bad twins: modules that find each other through
// SMCs, on top of each other.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/vendor/vendor_run.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::uint64_t key = 0xc2000a01;
constexpr std::uint64_t entries = 64;

class Smcdirectory : public VendorTest {
 protected:
  static VendorRun directory(const std::string& twin = "smcdirectory") {
    return {GetParam(), {twin}};
  }
  static std::string entry(std::uint64_t at, std::uint64_t hypercall) {
    return fmt::format("0xc400ff10:{:#x},{:#x}", at, hypercall);
  }
  static std::string look_up(std::uint64_t at) { return fmt::format("{:#x}:7", at); }
};

INSTANTIATE_TEST_SUITE_P(Generations, Smcdirectory, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// A key answers with its hypercall; one that nobody entered goes on to EL3, which leaves x1 alone.
TEST_P(Smcdirectory, AnswersWhatWasEntered) {
  VendorRun run = directory();
  run.smc(look_up(key), -1, {7});
  run.smc(entry(key, 130), 0, {0, 0, 0});
  run.smc(entry(key + 1, 255), 0);
  run.smc(look_up(key), 0, {130, 0, 0});
  run.smc(look_up(key + 1), 0, {255});
  run.smc(look_up(key + 2), -1, {7});
  run.run();
}

struct BadEntry {
  std::string what;
  std::uint64_t key;
  std::uint64_t hypercall;
  std::int64_t code;
};

// What would take calls of others, leads to no handler, or is there already is refused.
TEST_P(Smcdirectory, RefusesBadEntries) {
  const std::vector<BadEntry> bad = {
      {"PSCI's", 0x84000000, 128, einval},
      {"the directory's own", 0xc400ff10, 128, einval},
      {"a trusted OS's", 0xf2000001, 128, einval},
      {"no fast call", 0x42000a01, 128, einval},
      {"more than 32 bits", 0x1c2000a01, 128, einval},
      {"0", 0, 128, einval},
      {"a static hypercall", key + 1, 127, einval},
      {"behind the last hypercall", key + 1, 256, einval},
      {"a negative number", key + 1, ~std::uint64_t{0}, einval},
      {"another one under the same key", key, 129, eexist},
      {"the same again", key, 128, eexist},
  };
  VendorRun run = directory();
  run.smc(entry(key, 128), 0);
  for (const BadEntry& entry_ : bad)
    run.smc(entry(entry_.key, entry_.hypercall), entry_.code, {0, 0, 0});
  run.smc(look_up(key), 0, {128});
  run.smc(look_up(key + 1), -1, {7});
  run.run();
}

// There are 64 entries; the next one is refused, and all that were there still are.
TEST_P(Smcdirectory, IsBounded) {
  VendorRun run = directory();
  for (std::uint64_t i = 0; i < entries; ++i)
    run.smc(entry(key + i, 128 + i), 0);
  run.smc(entry(key + entries, 200), enospc);
  run.smc(entry(key + 1, 200), eexist);
  run.smc(look_up(key), 0, {128});
  run.smc(look_up(key + entries - 1), 0, {128 + entries - 1});
  run.smc(look_up(key + entries), -1, {7});
  run.run();
}

// One module's SMC, made before deprivilege, is answered by another's handler; what it entered
// leads everybody to its hypercall.
TEST_P(Smcdirectory, AModuleEntersItself) {
  VendorRun run(GetParam(), {"pages", "smcdirectory", "dirclient"});
  run.smc(look_up(key), 0, {129});
  run.call("129:40,2", 42);
  run.run();
  EXPECT_THAT(run.last_run().console, Contains("dirclient: 0xc2000a01 is hypercall 129"));
}

// Without a directory, or under a key that is taken, the client does not load; what it registered
// with the hypervisor before stays, and is not in the directory.
TEST_P(Smcdirectory, AClientNeedsItsEntry) {
  VendorRun alone(GetParam(), {"dirclient"});
  alone.run(10);
  EXPECT_THAT(alone.last_run().console, Contains("dirclient: not entered: -19"));

  VendorRun wrong(GetParam(), {"smcdirectory", "dirclient"});
  wrong.parameter("dirclient.key=0x84000001");
  wrong.smc(look_up(key), -1, {7});
  wrong.run(10);
  EXPECT_THAT(wrong.last_run().console, Contains("dirclient: not entered: -22"));
}

// A filter in front: android16 asks handlers in the order of their loads, and the filter refuses
// the directory's calls when it comes first. Elsewhere there is room for one of the two.
TEST_P(Smcdirectory, AFilterInFrontHidesIt) {
  for (const bool filter_first : {true, false}) {
    SCOPED_TRACE(filter_first);
    VendorRun run = filter_first
                        ? VendorRun(GetParam(), {"smcfilter", "smcdirectory", "dirclient"})
                        : VendorRun(GetParam(), {"smcdirectory", "smcfilter", "dirclient"});
    run.smc(look_up(key), filter_first || !is(g6_12) ? -1 : 0);
    const bool loads = is(g6_12) && !filter_first;
    run.run(loads ? 0 : 10);
    if (!is(g6_12))
      EXPECT_THAT(run.last_run().console, Contains("Failed to init EL2 module: -16"));
    else if (filter_first)
      EXPECT_THAT(run.last_run().console, Contains("dirclient: not entered: -19"));
  }
}

// Bad twin: the 65th entry lies in the table's own length, and the next one nowhere.
TEST_P(Smcdirectory, AnUnboundedTableIsAHypPanic) {
  VendorRun run = directory("smcdirectory_unbounded");
  for (std::uint64_t i = 0; i < entries + 2; ++i)
    run.smc(entry(key + i, 128), 0);
  run.run(12);
  EXPECT_THAT(run.last_run().process.out, HasSubstr("[smcdirectory_unbounded]")) << "who it was";
}

// Bad twin: the deprivileged host leads everybody to another hypercall.
TEST_P(Smcdirectory, AChangedEntryLeadsElsewhere) {
  for (const bool good : {true, false}) {
    SCOPED_TRACE(good);
    VendorRun run(GetParam(), {good ? "smcdirectory" : "smcdirectory_overwrites", "dirclient"});
    run.smc(look_up(key), 0, {128});
    run.smc(entry(key, 200), good ? eexist : 0);
    run.smc(look_up(key), 0, {good ? 128U : 200U});
    run.run();
  }
}

// Bad twin: a driver that loads, and that nobody finds.
TEST_P(Smcdirectory, AnIgnoredAnswerHidesTheDriver) {
  VendorRun run(GetParam(), {"dirclient_ignoresanswer"});
  run.smc(look_up(key), -1, {7});
  run.call("dirclient_hvc:40,2", 42);
  run.run();
}

}  // namespace
}  // namespace pkvmemu::test
