// SPDX-License-Identifier: GPL-2.0-only
// A protected guest of 6.12 that speaks FF-A (pkvm-abi.md 5.4, 6.5, 9.3; Arm DEN 0077A), with a
// secure world that a script has, without one, and in generations whose guests have none.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/ops/ops_fixture.h"
#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using testing::Contains;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::int64_t step_of(const EmulatorRun& run, std::string_view what) {
  for (const auto& step : run.report.at("guests").at(0).at("steps"))
    if (step.at("what") == what) return step.at("answer");
  ADD_FAILURE() << "no step " << what << "\n" << run.process.out;
  return 1;
}

class GuestFfa : public testing::Test {
 protected:
  static std::string hello(std::string_view kmi = "android16-6.12") {
    return module(fmt::format("{}/hello", kmi));
  }
  std::string secure_world(std::string_view calls = "") {
    const auto file = scratch_.path() / "secure.yaml";
    EXPECT_TRUE(write_file(file, fmt::format("ffa: {{version: 1.1, handle: 0x30}}\n{}", calls)));
    return file.string();
  }
  static std::vector<std::string> lines_of(const EmulatorRun& run) {
    return run.report.at("guests").at(0).at("console").get<std::vector<std::string>>();
  }

 private:
  ScratchDirectory scratch_;
};

// The whole conversation: a version, an id of its own, buffers once, partitions, memory that is
// given and comes back by its handle, and messages in nobody else's name. EL3 gets physical
// addresses.
TEST_F(GuestFfa, SharesMemoryWithTheSecureWorld) {
  const auto run = run_emulator(
      {hello(), "--pvm=ffa:ffa", "--el3",
       secure_world("calls: [{name: echo, id: 0xc400006f, answer: [0x84000061, 0, 9]}]")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(
      lines_of(run),
      ElementsAre("pvmfw: running in a protected VM", "pvmfw: payload verified", "version 0x10001",
                  "id: success", "id is 0x1000", "feature MEM_SHARE: success",
                  "feature MEM_DONATE: error -1", "share without buffers: error -2",
                  "buffers of two pages: error -2", "buffers: success", "buffers again: error -6",
                  "partitions: success", "the first is 0x8001", "release: success",
                  "share: success", "share again: error -6", "share in another's name: error -2",
                  "share what is not there: error -2", "unshare with the host: refused",
                  "reclaim of another's: error -2", "reclaim: success", "reclaim again: error -2",
                  "share what came back: success", "share the rest: success",
                  "a message in the host's name: error -2", "a message: success"));
  EXPECT_EQ(step_of(run, "allow ffa"), 0);
  EXPECT_THAT(run.process.out, ContainsRegex("el3 0xc400006f echo: 1 call, last \\(0x10008001"));
  holds("6.5/set_ffa", Generation::android16_6_12, HeldOn::machine);
  holds("5.4/host_get_ffa_version", Generation::android16_6_12, HeldOn::machine);
}

// What a guest leaves with the secure world when it dies comes back before its VM goes: each page
// is the host's again, and zero.
TEST_F(GuestFfa, WhatAGuestLeavesIsReclaimed) {
  const auto run = run_emulator({hello(), "--pvm=bare:ffa:ffa", "--el3", secure_world()});
  EXPECT_EQ(step_of(run, "tear down"), 0) << run.process.out;
  EXPECT_THAT(run.console, Contains(ContainsRegex("all [0-9]+ pages came back zeroed")));
  EXPECT_THAT(run.process.out, HasSubstr("FFA_MEM_RECLAIM: 3 calls")) << "two of them the host's";
  holds("5.4/reclaim_dying_guest_ffa_resources", Generation::android16_6_12, HeldOn::machine);
}

// A secure world that keeps the memory keeps the VM: its pages are busy, and lost to the host.
TEST_F(GuestFfa, ASecureWorldMayKeepWhatItHas) {
  const auto run = run_emulator(
      {hello(), "--pvm=ffa:ffa", "--el3",
       secure_world("calls: [{id: 0x84000077, args: {x1: 0x32}, answer: [0x84000060, 0, -6]}]")});
  EXPECT_EQ(step_of(run, "tear down"), -11) << "EAGAIN\n" << run.process.out;
  EXPECT_THAT(lines_with(run.console, "pages came back"), IsEmpty());
  EXPECT_THAT(lines_with(run.console, "panic"), IsEmpty());
}

// Without leave of the host a guest has no FF-A, whatever EL3 has.
TEST_F(GuestFfa, NeedsTheHostsLeave) {
  const auto run = run_emulator({hello(), "--pvm=ffa", "--el3", secure_world()});
  EXPECT_THAT(lines_of(run), Contains("id: error -1"));
  EXPECT_THAT(run.process.out, Not(HasSubstr("FFA_")));
}

// Nobody has leave where there is no secure world, and nobody but 6.12's guests; where calls
// are unknown, they are SMCCC's NOT_SUPPORTED. The same under QEMU.
class GuestFfaRefused : public testing::TestWithParam<pkvm::GenerationInfo> {};
INSTANTIATE_TEST_SUITE_P(Generations, GuestFfaRefused, testing::ValuesIn(pkvm::generations),
                         generation_name);

TEST_P(GuestFfaRefused, WithoutASecureWorld) {
  const Arguments allowed{module(fmt::format("{}/hello", GetParam().kmi)), "--pvm=ffa:ffa"};
  const auto run = run_emulator(allowed);
  EXPECT_EQ(step_of(run, "allow ffa"), -22);
  EXPECT_EQ(run_qemu(allowed), run.console) << "the second one is ours";
  const Arguments plain{module(fmt::format("{}/hello", GetParam().kmi)), "--pvm=ffa"};
  const auto without = run_emulator(plain);
  const bool is_known = GetParam().id == Generation::android16_6_12;
  EXPECT_THAT(without.console,
              Contains(is_known ? "ffa> id: error -1" : "ffa> id: 18446744073709551615"));
  EXPECT_EQ(run_qemu(plain), without.console) << "the second one is ours";
  if (is_known) holds("6.5/set_ffa.no_secure_world", GetParam().id);
}

}  // namespace
}  // namespace pkvmemu::test
