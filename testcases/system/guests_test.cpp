// SPDX-License-Identifier: GPL-2.0-only
// Virtual machines from creation to tear-down: what each guest program prints, what the host is
// told, and that nothing of it can be had after a failed load; the same on our machine and under
// QEMU.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

class Guests : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static std::string generation() { return fmt::format("pkvmemu.generation={}", GetParam().kmi); }

  /// Ours; the same files under QEMU have to print the same console.
  static EmulatorRun run_on_both(Arguments arguments, const std::string& cmdline = "") {
    arguments.insert(arguments.end(), {"--cmdline", generation() + " " + cmdline});
    auto run = run_emulator(arguments);
    EXPECT_EQ(run_qemu(arguments), run.console) << "the second one is ours";
    return run;
  }
  /// What the guest printed.
  static std::vector<std::string> lines_of(const EmulatorRun& run, std::size_t guest = 0) {
    return run.report.at("guests").at(guest).at("console").get<std::vector<std::string>>();
  }
  static std::int64_t answer(const EmulatorRun& run, std::string_view what) {
    for (const auto& step : run.report.at("guests").at(0).at("steps"))
      if (step.at("what") == what) return step.at("answer");
    ADD_FAILURE() << "no step " << what;
    return 1;
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, Guests, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           std::string name(instance.param.kmi);
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

// With several modules loaded, which guard memory, take SMCs and own pages, a protected VM shares a
// page, exchanges data with the host, and gives all back.
TEST_P(Guests, SeveralModulesLeaveAProtectedVmToItself) {
  Arguments arguments;
  for (const char* name : {"hello", "counter", "pagepool", "regionguard", "smcfilter"})
    arguments.push_back(module(fmt::format("{}/{}", GetParam().kmi, name)));
  arguments.emplace_back("--pvm=share");
  const auto run = run_on_both(arguments);
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("modules").size(), 5U);
  EXPECT_THAT(lines_of(run), Contains("the host does not reach the page"));
  EXPECT_THAT(run.console, Contains("pvm share: all 11 pages came back zeroed"));
  EXPECT_THAT(run.process.out, ContainsRegex("protected VMs: available .*: pvmfw reported in\\)"));
}

// What one guest leaves in vectors, keys of pointer authentication and timers is no other's,
// neither of two that take turns nor of an ordinary one behind them, and is there when it goes on.
TEST_P(Guests, RegistersAreEachGuestsOwn) {
  const auto run = run_on_both({"--pvm=registers,registers", "--vm=registers"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  ASSERT_EQ(run.report.at("guests").size(), 3U);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_THAT(lines_of(run, i),
                IsSupersetOf({"registers are as after a reset", "registers are kept"}))
        << i;
}

// A protected VM starts in its firmware, prints from EL1, powers off, and gives every page back
// zeroed.
TEST_P(Guests, AProtectedVmRunsFromItsFirmwareToItsEnd) {
  holds("9.3/reclaim.zeroed", GetParam().id);
  holds("9.4/firmware.enters", GetParam().id);
  const auto run = run_on_both({module(fmt::format("{}/hello", GetParam().kmi)), "--pvm"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(lines_of(run), ElementsAre("pvmfw: running in a protected VM",
                                         "pvmfw: payload verified", "hello from EL1 of a guest"));
  EXPECT_THAT(run.console, Contains("pvm hello: all 9 pages came back zeroed"));
  EXPECT_THAT(run.process.out, ContainsRegex("protected VMs: available .*: pvmfw reported in\\)"));
  EXPECT_THAT(lines_with(run.console, "protected VM: "), IsEmpty()) << "this one was enough";
}

// An ordinary VM runs the same program without firmware.
TEST_P(Guests, AnOrdinaryVmRunsTheProgramAlone) {
  const auto run = run_on_both({"--vm"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(lines_of(run), ElementsAre("hello from EL1 of a guest"));
  EXPECT_EQ(lines_with(run.console, "protected VM: ").size(), 1U) << "and says nothing of others";
}

// A guest computes on its own memory; one after the other they use the same pages of the host.
TEST_P(Guests, SeveralGuestsRunOneAfterTheOther) {
  const auto run = run_on_both({"--pvm=compute", "--vm=compute", "--pvm", "--pvm=compute"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  for (const std::size_t guest : {0U, 1U, 3U})
    EXPECT_THAT(lines_of(run, guest), Contains("primes below 10000: 1229")) << guest;
}

// Guests of both kinds live at once: the kernel goes to the next one at every exit, and each does
// what it does alone. The first one still runs when the last one is made, and all pages come back.
TEST_P(Guests, SeveralGuestsLiveAtOnce) {
  const auto run = run_on_both({"--pvm=share,compute,vm:smp,share"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  ASSERT_EQ(run.report.at("guests").size(), 4U);
  for (const std::size_t sharing : {0U, 3U})
    EXPECT_THAT(lines_of(run, sharing),
                IsSupersetOf({"share: 0", "the host answered in the shared page", "unshare: 0"}));
  EXPECT_THAT(lines_of(run, 1), Contains("primes below 10000: 1229"));
  EXPECT_THAT(lines_of(run, 2), Contains("vCPU 1 runs with 42"));
  EXPECT_FALSE(run.report.at("guests").at(2).at("protected").get<bool>());
  const auto place = [&](std::string_view line) {
    const auto found = std::ranges::find(run.console, line);
    EXPECT_NE(found, run.console.end()) << line;
    return found - run.console.begin();
  };
  EXPECT_LT(place("vm smp: create: 0"), place("pvm compute: run: 0"));
  EXPECT_LT(place("pvm compute: run: 0"), place("pvm share: tear down: 0"));
}

// A list that is none, and one that is too long, are refused before anything runs.
TEST_P(Guests, AWrongListOfGuestsIsRefused) {
  for (const char* list : {"--pvm=hello,", "--pvm=,hello", "--vm=hello,,hello", "--vm=a,b,c,d,e"})
    EXPECT_EQ(run_emulator({list}).process.exit_code, 2) << list;
}

// What a protected guest shares the host can read and write; before and after that it cannot.
TEST_P(Guests, SharedPagesAreTheHostsForAsLongAsTheyAreShared) {
  holds("7.6/guest_shares_host", GetParam().id);
  const auto run = run_on_both({"--pvm=share"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(
      lines_of(run),
      IsSupersetOf({"share: 0", "the host answered in the shared page", "share again: refused",
                    "unshare: 0", "unshare again: refused", "the host does not reach the page"}));
  EXPECT_THAT(run.console, Contains("pvm share: the shared page cannot be reached"));
}

// An ordinary guest has no secrets from the host, and nothing to share.
TEST_P(Guests, AnOrdinaryGuestIsOpenToTheHost) {
  const auto run = run_on_both({"--vm=share"});
  EXPECT_THAT(lines_of(run), IsSupersetOf({"share: refused", "the host still reaches the page"}));
}

// Accesses to nothing end in a synchronous external abort at the guest, whichever kind it is.
TEST_P(Guests, AccessesToNothingAreAborted) {
  for (const char* kind : {"--pvm=trespass", "--vm=trespass"}) {
    const auto run = run_on_both({kind});
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_THAT(lines_of(run), IsSupersetOf({"read: ESR 0x96000010, FAR 0x20000000",
                                             "write: ESR 0x96000010, FAR 0x20000008",
                                             "beyond RAM: ESR 0x96000010, FAR 0x80100000"}));
  }
}

// A vCPU that the guest switches on runs with what it was given.
TEST_P(Guests, ASecondVcpuIsSwitchedOn) {
  holds("9.4/other_vcpus.cpu_on", GetParam().id);
  for (const char* kind : {"--pvm=smp", "--vm=smp"}) {
    const auto run = run_on_both({kind});
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_THAT(lines_of(run),
                IsSupersetOf({"CPU_ON: 0", "vCPU 1 runs with 42", "vCPU 0 has seen it"}));
  }
}

// After a failed load no pvmfw reports in (pkvm-abi.md 6.5, measured): 6.1 and 6.12 refuse
// SET_FW_IPA and say that the firmware has no size; 6.6 takes it, and the guest dies on its first
// instruction.
TEST_P(Guests, NoProtectedVmAfterAFailedLoad) {
  const auto run = run_on_both({"--pvm"}, "kvm-arm.protected_modules=nosuch");
  EXPECT_EQ(answer(run, "create"), 0);
  EXPECT_EQ(answer(run, "firmware info"), 0);
  EXPECT_THAT(lines_of(run), Not(Contains(HasSubstr("pvmfw"))));
  EXPECT_THAT(run.process.out, HasSubstr("protected VMs: NOT available: module nosuch"));
  if (GetParam().wipe_keeps_firmware_size) {
    EXPECT_THAT(run.console, Contains("pvm hello: firmware of 1048576 bytes"));
    EXPECT_EQ(answer(run, "set firmware"), 0);
    EXPECT_EQ(answer(run, "run"), -14);
  } else {
    EXPECT_THAT(run.console, Contains("pvm hello: firmware of 0 bytes"));
    EXPECT_EQ(answer(run, "set firmware"), -22);
  }
}

// The same when the load failed in the module's own EL2 init.
TEST_P(Guests, NoProtectedVmAfterAFailedInit) {
  const auto run = run_on_both({module(fmt::format("{}/initfail", GetParam().kmi)), "--pvm"});
  EXPECT_THAT(lines_of(run), Not(Contains(HasSubstr("pvmfw"))));
  EXPECT_THAT(run.process.out, HasSubstr("protected VMs: NOT available: module initfail"));
}

// Without protected mode there is no KVM that would create one: -EINVAL.
TEST_P(Guests, NoVmWithoutProtectedMode) {
  const auto run = run_on_both({"--pvm"}, "kvm-arm.mode=nvhe");
  EXPECT_EQ(answer(run, "create"), -22);
}

// A program that is not there is an answer, and the VM is torn down.
TEST_P(Guests, AMissingProgramIsAnAnswer) {
  const auto run = run_on_both({"--pvm=nosuch"});
  EXPECT_EQ(run.process.exit_code, 11) << run.process.out << run.process.err;
  EXPECT_EQ(answer(run, "payload"), -2);
  EXPECT_EQ(answer(run, "tear down"), 0);
}

}  // namespace
}  // namespace pkvmemu::test
