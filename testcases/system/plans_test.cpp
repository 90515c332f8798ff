// SPDX-License-Identifier: GPL-2.0-only
// Faults at any code of the guest, and plans: what is asked for happens, is told with its place,
// and is judged by what the plan expects.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using testing::HasSubstr;

class Plans : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static std::string hello() { return module(fmt::format("{}/hello", GetParam().kmi)); }

  /// hello's handler adds x1 and x2 into x1.
  static EmulatorRun call(const Arguments& more) {
    Arguments arguments = {hello(), "--no-pvm", "--call", "hello/hello_hvc:0x10,0x3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_emulator(arguments);
  }
  EmulatorRun plan(std::string_view text, const Arguments& more = {}) const {
    const std::string file = (scratch_.path() / "plan.yaml").string();
    EXPECT_TRUE(write_file(file, text));
    Arguments arguments = {"--plan", file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return call(arguments);
  }
  static std::string x1(const EmulatorRun& run) {
    return run.report.at("calls").at(0).at("result").at(1);
  }

 private:
  ScratchDirectory scratch_;
};

INSTANTIATE_TEST_SUITE_P(Generations, Plans, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           std::string name(instance.param.kmi);
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

// A bit of a register flips at a handler's entry, and the handler computes with it; the report
// names the place.
TEST_P(Plans, ABitOfARegisterFlips) {
  EXPECT_EQ(x1(call({})), "0x13");
  // The handler's x0 points to the registers of its caller; x1 is the second.
  const auto run = call({"--fail", "hello/hello_hvc:flip=[x0+8]:5"});
  EXPECT_EQ(x1(run), "0x33");
  const auto fault = run.report.at("faults").at(0);
  EXPECT_EQ(fault.at("fired"), 1);
  EXPECT_THAT(fault.at("where").get<std::string>(), HasSubstr("hello_hvc [hello]"));
  EXPECT_EQ(
      call({"--fail", "hello/hello_hvc:flip=x0:3"}).report.at("calls").at(0).at("result").at(1),
      "0x0");
}

// A function that has to return does so with that value and does nothing; it is the nth time alone.
TEST_P(Plans, AFunctionReturnsAtOnce) {
  const auto run = call(
      {"--call", "hello/hello_hvc:0x20,0x3", "--fail", "el2:hello/hello_hvc:nth=2:return=0x55"});
  EXPECT_EQ(x1(run), "0x13");
  EXPECT_EQ(run.report.at("calls").at(1).at("result").at(1), "0x20");
  const auto kernel = call({"--fail", "hello/init_module:return=ENOMEM"});
  EXPECT_EQ(kernel.process.exit_code, 10);
  EXPECT_EQ(kernel.report.at("modules").at(0).at("init"), -12);
}

// Power goes and the budget ends right there: the call never comes back.
TEST_P(Plans, TheRunEndsAtThePlace) {
  const auto cut = call({"--fail", "hello/hello_hvc+4:power-cut"});
  EXPECT_EQ(cut.process.exit_code, 14);
  EXPECT_EQ(cut.report.at("exit").at("reason"), "power-cut");
  EXPECT_EQ(cut.report.at("exit").at("el"), 2);
  EXPECT_THAT(cut.process.out, HasSubstr("run: the power was cut at EL2"));
  const auto late = call({"--fail", "hello/hello_hvc+4:time-out"});
  EXPECT_EQ(late.report.at("exit").at("reason"), "budget-spent");
  EXPECT_EQ(late.report.at("exit").at("pc"), cut.report.at("exit").at("pc"));
}

// A plan whose expectations hold is good, whatever the run came to; one that does not hold is told
// with both sides.
TEST_P(Plans, ExpectationsDecide) {
  const std::string_view failing = R"(
faults:
  - {site: hyp.donate, nth: 2, return: EPERM}
expect:
)";
  const auto good = plan(std::string(failing) +
                         "  {loads: failed, protected_vms: unavailable, exit: 10, fired: 1,\n"
                         "   console_lacks: hello from EL2}\n");
  EXPECT_EQ(good.process.exit_code, 0) << good.process.out;
  const auto bad = plan(std::string(failing) + "  {loads: loaded, fired: 1, console: nonesuch}\n");
  EXPECT_EQ(bad.process.exit_code, 16);
  EXPECT_THAT(bad.process.out, HasSubstr("expected loads: loaded: NOT so ("));
  EXPECT_THAT(bad.process.out, HasSubstr("found: failed"));
  EXPECT_THAT(bad.process.out, HasSubstr("expected console: nonesuch: NOT so ("));
  const auto never = plan("faults: [{site: hyp.donate, nth: 1000}]\nexpect: {loads: loaded}\n");
  EXPECT_EQ(never.process.exit_code, 16) << "a fault that never was has tested nothing";
  EXPECT_EQ(plan("expect: {loads: loaded, panic: none}\n").process.exit_code, 0);
}

// `require` and `reject` go by the functions on the way to the place.
TEST_P(Plans, TheCallPathDecides) {
  const auto fired = [&](std::string_view more) {
    const auto run = plan(fmt::format(
        "faults: [{{site: hyp.donate, times: all, {}}}]\nexpect: {{panic: none}}\n", more));
    return run.report.at("faults").at(0).at("fired").get<std::uint64_t>();
  };
  EXPECT_GT(fired("require: hyp/ModuleSlots::map_module_page"), 0U);
  EXPECT_EQ(fired("require: hyp/ModuleSlots::unmap_module_page"), 0U);
  EXPECT_EQ(fired("require: [hyp/ModuleSlots::map_module_page, hyp/call_host_donate_guest]"), 0U);
  EXPECT_EQ(fired("require: hyp/ModuleSlots::map_module_page, "
                  "reject: hyp/ModuleSlots::map_module_page"),
            0U);
  EXPECT_GT(fired("require: hyp/ModuleSlots::map_module_page, "
                  "reject: hyp/ModuleSlots::unmap_module_page"),
            0U);
}

// EL3 answers what the plan says, and so does a device.
TEST_P(Plans, El3AndDevicesAnswerAsPlanned) {
  const Arguments version = {"--psci", "version"};
  const auto run =
      plan("faults: [{smc: 0x84000000, answer: 0x12345}]\nexpect: {fired: 1}\n", version);
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  EXPECT_THAT(run.process.out, HasSubstr("0x12345"));
  // The UART's flags say that it is busy, three times: the kernel waits, and goes on.
  const auto uart = plan("faults: [{mmio: 0x09000018, answer: 0x20, times: 3}]\n");
  EXPECT_EQ(uart.report.at("faults").at(0).at("fired"), 3);
  EXPECT_EQ(uart.console, call({}).console);
}

// A module's file is corrupted where the plan says, by section or by offset: one bit in the header
// keeps it from loading.
TEST_P(Plans, AModulesFileIsCorrupted) {
  const auto header = plan("faults: [corrupt: {module: hello, offset: 0, xor: 0xff}]\n");
  EXPECT_EQ(header.process.exit_code, 10) << header.process.out;
  EXPECT_THAT(header.process.out, HasSubstr("corrupted hello: the file at 0x0: 7f became 80"));
  const auto text = plan(
      "faults: [corrupt: {module: hello.ko, section: .hyp.text, offset: 4, xor: [0, 0, 0, 0]}]\n");
  EXPECT_EQ(text.process.exit_code, 0) << text.process.out;
  const auto outside =
      plan("faults: [corrupt: {module: hello, section: .hyp.text, offset: 0x100000, xor: 1}]\n");
  EXPECT_EQ(outside.process.exit_code, 3);
  EXPECT_THAT(outside.process.err, HasSubstr("plan.yaml:1:19: module hello: .hyp.text is 0x"));
  EXPECT_EQ(plan("faults: [corrupt: {module: nosuch, offset: 0, xor: 1}]\n").process.exit_code, 3);
}

// What comes by lot comes again with the seed that the run tells.
TEST_P(Plans, ASeedRepeatsWhatCameByLot) {
  const std::string_view some =
      "faults: [{site: hyp.map, probability: 20, times: all}]\nexpect: {ended: powered-off}\n";
  const auto first = plan(some);
  ASSERT_TRUE(first.report.at("seed").is_number());
  const auto seed = first.report.at("seed").get<std::uint64_t>();
  EXPECT_THAT(first.process.out, HasSubstr(fmt::format("seed: {}", seed)));
  const auto again = plan(fmt::format("seed: {:#x}\n{}", seed, some));
  EXPECT_EQ(first.report.at("faults"), again.report.at("faults")) << "seed " << seed;
  EXPECT_EQ(first.report.at("instructions"), again.report.at("instructions")) << "seed " << seed;
  EXPECT_EQ(first.console, again.console) << "seed " << seed;
}

// Skipping and repeating are of one instruction: the run executes as many more or less.
TEST_P(Plans, OneInstructionIsSkippedOrRepeated) {
  const auto count = [](const EmulatorRun& run) {
    return run.report.at("instructions").get<std::uint64_t>();
  };
  const auto plain = call({});
  // The second instruction adds; what is skipped counts as the branch around it.
  const auto skipped = call({"--fail", "hello/hello_hvc+4:skip"});
  EXPECT_NE(x1(skipped), x1(plain));
  EXPECT_EQ(count(skipped), count(plain));
  const auto repeated = call({"--fail", "hello/hello_hvc:repeat"});
  EXPECT_EQ(skipped.report.at("faults").at(0).at("fired"), 1);
  EXPECT_EQ(repeated.report.at("faults").at(0).at("fired"), 1);
  EXPECT_EQ(count(repeated), count(plain) + 2) << "the way back, and once more";
  EXPECT_EQ(x1(repeated), x1(plain)) << "its first instruction is a load";
}

// Watching code changes nothing: a run with a fault whose time does not come is as always.
TEST_P(Plans, WatchedCodeRunsAsAlways) {
  const auto plain = call({});
  const auto watched = call({"--fail", "hello/hello_hvc:nth=1000:skip"});
  EXPECT_EQ(watched.process.exit_code, 11);
  EXPECT_EQ(plain.console, watched.console);
  EXPECT_EQ(plain.report.at("instructions"), watched.report.at("instructions"));
}

// A plan that cannot be read is a bad file, told with its place; so is a name that the guest lacks.
TEST_P(Plans, ABadPlanIsRefused) {
  const auto unknown = plan("faults:\n  - {site: hyp.donate, nht: 1}\n");
  EXPECT_EQ(unknown.process.exit_code, 3);
  EXPECT_THAT(unknown.process.err, HasSubstr("plan.yaml:2:24: unknown key 'nht'"));
  const auto nowhere = plan("faults:\n  - {at: nosuch, do: skip}\n");
  EXPECT_EQ(nowhere.process.exit_code, 3);
  EXPECT_THAT(nowhere.process.err, HasSubstr("plan.yaml:2:5: no symbol 'nosuch'"));
  const auto words = plan("expect: {loads: perhaps}\n");
  EXPECT_EQ(words.process.exit_code, 3);
  EXPECT_THAT(words.process.err, HasSubstr("loads: expected loaded|failed|none, not 'perhaps'"));
}

}  // namespace
}  // namespace pkvmemu::test
