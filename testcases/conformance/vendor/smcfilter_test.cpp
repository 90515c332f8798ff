// SPDX-License-Identifier: GPL-2.0-only
// The sample smcfilter and its bad twins: which of the host's SMCs reach EL3, and who hears of the
// others.
#include <gmock/gmock.h>

#include "conformance/vendor/vendor_run.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

/// EL3 answers two calls: one that is on the list, and one that is not.
constexpr auto el3 = R"(
  - {smc: 0x82000501, answer: [0x0, 0x11, 0x22], times: all}
  - {smc: 0xc2000001, answer: [0x0, 0x5ec4e7], times: all}
)";

class Smcfilter : public VendorTest {
 protected:
  static VendorRun filter(const std::string& twin = "smcfilter") { return {GetParam(), {twin}}; }
  static std::vector<std::string> events_of(const VendorRun& run) {
    return lines_with(run.last_run().console, "hyp event");
  }
  static bool has_events() { return !is(g6_1); }
};

INSTANTIATE_TEST_SUITE_P(Generations, Smcfilter, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// EL3 knows none of these calls and leaves x1 alone; the filter clears it. So it shows who
// answered: the first and the last of the list, those in between, their neighbours, and PSCI, which
// is nobody's.
TEST_P(Smcfilter, OnlyTheListReachesEl3) {
  VendorRun run = filter();
  for (const auto* allowed : {"0x80000000:7", "0x80000001:7", "0x80003fff:7", "0x82000511:7",
                              "0x84000053:7", "0xc2000520:7", "0xf2000002:7"})
    run.smc(allowed, -1, {7});
  for (const auto* filtered : {"0x7fffffff:7", "0x80000003:7", "0x82000512:7", "0xc2000001:7",
                               "0xf2000003:7", "0xffffffff:7", "0:7"})
    run.smc(filtered, -1, {0, 0, 0});
  run.smc("0x84000000", 0x1'0001);
  run.call("smcfilter_counts_hvc", 7, {7, 0});
  run.run(0, VendorRun::On::machine);
}

// The same under QEMU, where PSCI has another version.
TEST_P(Smcfilter, OnlyTheListReachesTheFirmwareOfQemu) {
  VendorRun run = filter();
  run.smc("0x82000500:7", -1, {7});
  run.smc("0x82000503:7", -1, {0});
  run.smc("0xc4000053:7", -1, {7});
  run.smc("0xc4000052:7", -1, {0});
  run.call("smcfilter_counts_hvc", 2, {2, 0xc4000052});
  run.run();
}

// A caller's hint that it has no SVE state, and bits that EL3 does not look at, change nothing.
TEST_P(Smcfilter, DecidesByTheBitsThatEl3LooksAt) {
  VendorRun run = filter();
  run.smc("0xf2010002:7", -1, {7});
  run.smc("0x182000501:7", -1, {7});
  run.smc("0xc2010001:7", -1, {0});
  run.smc("0x1c2000001:7", -1, {0});
  run.run();
}

// What EL3 answers comes back as it is; what it would have answered to others stays its own.
TEST_P(Smcfilter, AnswersOfEl3ComeBack) {
  VendorRun run = filter();
  run.plan(el3);
  run.smc("0x82000501:1,2,3", 0, {0x11, 0x22, 3});
  run.smc("0xc2000001", -1, {0, 0, 0});
  run.run(11, VendorRun::On::machine);
  EXPECT_THAT(lines_with(run.last_run().console, "smc 0x82000501"),
              ElementsAre("smc 0x82000501(0x1, 0x2, 0x3): x0=0x0 x1=0x11 x2=0x22 x3=0x3"));
  EXPECT_THAT(lines_with(run.last_run().console, "smc 0xc2000001"),
              ElementsAre("smc 0xc2000001(): x0=0xffffffffffffffff x1=0x0 x2=0x0 x3=0x0"));
}

// Told to be permissive, the filter forwards what it would refuse, and still tells of it.
TEST_P(Smcfilter, PermissiveForwardsAndTells) {
  VendorRun run = filter();
  run.parameter("smcfilter.permissive=1 pkvmemu.trace_events");
  run.smc("0xc2000001:7", -1, {7});
  run.smc("0x82000501:7", -1, {7});
  run.call("smcfilter_counts_hvc", 1, {1, 0xc2000001});
  run.run();
  EXPECT_THAT(run.last_run().console, Contains("smcfilter: permissive, hypercall 128"));
  if (has_events())
    EXPECT_THAT(events_of(run), ElementsAre("hyp event filtered_smc: id=0xc2000001 forwarded=1"));
}

// Every filtered call is an event, in order, where the generation has events; nobody counts when
// the host does not want it.
TEST_P(Smcfilter, TellsByTraceEvents) {
  VendorRun run = filter();
  run.parameter("smcfilter.counting=0 pkvmemu.trace_events");
  run.smc("0xc2000001:7", -1, {0});
  run.smc("0x80000000:7", -1, {7});
  run.smc("0x8badf00d:7", -1, {0});
  run.call("smcfilter_counts_hvc", 0, {0, 0x8badf00d});
  run.run();
  if (has_events())
    EXPECT_THAT(events_of(run), ElementsAre("hyp event filtered_smc: id=0xc2000001 forwarded=0",
                                            "hyp event filtered_smc: id=0x8badf00d forwarded=0"));
  else
    EXPECT_THAT(events_of(run), IsEmpty());
}

// Two filters: android14 and android15 have room for one handler, and the second one is not loaded;
// on android16 the second one is asked for what the first one lets pass.
TEST_P(Smcfilter, ASecondFilterNeedsAChain) {
  VendorRun run(GetParam(), {"smcfilter", "smcfilter_denylist"});
  run.smc("0x82000501:7", -1, {7});
  run.smc("0xc2000001:7", -1, {0});
  run.run(is(g6_12) ? 0 : 10);
  if (!is(g6_12)) EXPECT_THAT(run.last_run().console, Contains("Failed to init EL2 module: -16"));
}

// Bad twin: a list out of order, of which a search misses calls, the new one and old ones.
TEST_P(Smcfilter, AListOutOfOrderLosesCalls) {
  VendorRun run = filter("smcfilter_unsorted");
  run.smc("0x80000000:7", -1, {7});
  run.smc("0x80008000:7", -1, {0});
  run.smc("0x82000500:7", -1, {7});
  run.run();
}

// Bad twin: a list of forbidden calls, passed by with a bit that EL3 does not look at.
TEST_P(Smcfilter, AListOfForbiddenCallsIsPassedBy) {
  VendorRun run = filter("smcfilter_denylist");
  run.smc("0xc2000001:7", -1, {0});
  run.smc("0x1c2000001:7", -1, {7});
  run.run();
}

// Bad twin: the host takes its own function id for the answer.
TEST_P(Smcfilter, AnUnansweredCallLooksAnswered) {
  VendorRun run = filter("smcfilter_answersnothing");
  run.smc("0xc2000001:7", 0xc2000001, {7});
  run.run();
}

// Bad twin: the EL1 half stores an int over EL2's bool, and has switched counting off with it.
TEST_P(Smcfilter, AWideStoreReachesTheNextVariable) {
  VendorRun run = filter("smcfilter_wideflag");
  run.smc("0xc2000001:7", -1, {0});
  run.call("smcfilter_counts_hvc", 0, {0, 0xc2000001});
  run.run();
}

}  // namespace
}  // namespace pkvmemu::test
