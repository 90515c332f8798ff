// SPDX-License-Identifier: GPL-2.0-only
// The ready set of attacks as a user runs it: every answer as specified on each generation, and the
// same console under QEMU.
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
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class AttackRuns : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static Arguments arguments(const Arguments& own) {
    Arguments all = own;
    all.insert(all.end(), {"--cmdline", fmt::format("pkvmemu.generation={}", GetParam().kmi)});
    return all;
  }
  static void holds(std::string_view row) { test::holds(row, GetParam().id); }
};

INSTANTIATE_TEST_SUITE_P(Generations, AttackRuns, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// All attacks, before and after the host gave up its privileges: each is answered as specified, and
// every page comes back.
TEST_P(AttackRuns, AllAreAnsweredAsSpecified) {
  for (const char* row :
       {"9.3/init_vm.refused", "9.3/init_vcpu.refused", "9.3/vcpu_load.silent",
        "9.3/vcpu_run.not_loaded", "9.3/map_guest.not_loaded", "9.3/start_teardown_vm.refused",
        "9.3/reclaim.refused", "9.3/finalize_teardown_vm.refused", "7.6/host_donates_guest.refused",
        "7.7/guest_memory.aborted", "9.3/init_vm.once"})
    holds(row);
  const bool has_unmap = GetParam().id != pkvm::Generation::android14_6_1;
  if (has_unmap) holds("7.6/host_unshare_guest.all_or_nothing");
  if (GetParam().id == pkvm::Generation::android15_6_6) holds("5.3/host_unmap_guest.frame");
  const auto run = run_emulator(arguments({"--attack"}));
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run_qemu(arguments({"--attack"})), run.console) << "the second one is ours";
  const auto& attacks = run.report.at("attacks");
  EXPECT_GT(attacks.size(), 70U);
  for (const auto& attack : attacks)
    EXPECT_TRUE(attack.at("as_specified")) << attack.dump();
  EXPECT_THAT(run.process.out,
              HasSubstr(fmt::format("attacks: {} answered as specified, every page came back to "
                                    "its owner",
                                    attacks.size())));
}

// A VM whose vCPU is loaded cannot be torn down: a WARN of EL2's, so a panic. It is left out unless
// it is named, and then the verdict says that it was to be.
TEST_P(AttackRuns, AFatalOneIsMadeByNameOnly) {
  holds("9.3/start_teardown_vm.loaded");
  const auto run = run_emulator(arguments({"--attack=teardown-loaded"}));
  EXPECT_EQ(run.process.exit_code, 12) << run.process.out << run.process.err;
  EXPECT_THAT(run.process.out,
              HasSubstr("attack teardown-loaded: the hypervisor panicked, as specified"));
  EXPECT_EQ(run_qemu(arguments({"--attack=teardown-loaded"})), run.console);

  const auto others = run_emulator(arguments({"--attack=teardown-*"}));
  EXPECT_EQ(others.process.exit_code, 0) << others.process.out << others.process.err;
  EXPECT_THAT(others.console, Not(Contains(HasSubstr("teardown-loaded"))));
  EXPECT_THAT(others.console, Contains("attack teardown-twice: as specified"));
}

// After a failed load attacks get the same answers, but those that need firmware are left out where
// the wipe forgets it.
TEST_P(AttackRuns, AFailedLoadChangesNoAnswer) {
  const Arguments all{
      "--attack", "--cmdline",
      fmt::format("pkvmemu.generation={} kvm-arm.protected_modules=nosuch", GetParam().kmi)};
  const auto run = run_emulator(all);
  EXPECT_EQ(run.process.exit_code, 10) << "for the load, and not for an attack";
  EXPECT_GT(run.report.at("attacks").size(), 70U);
  for (const auto& attack : run.report.at("attacks"))
    EXPECT_TRUE(attack.at("as_specified")) << attack.dump();
  EXPECT_EQ(std::ranges::count(run.console, "attack firmware-unaligned: as specified"),
            GetParam().wipe_keeps_firmware_size ? 1 : 0);
}

// Without a hypervisor there is nothing to attack, which is a failure and no success.
TEST(AttackList, WithoutAHypervisorNothingIsClaimed) {
  const auto run = run_emulator({"--attack", "--cmdline", "kvm-arm.mode=nvhe"});
  EXPECT_EQ(run.process.exit_code, 11) << run.process.out;
  EXPECT_THAT(run.process.out, HasSubstr("there is no hypervisor"));
}

// --attack=help lists every attack with what it does, and runs nothing; a pattern that fits none is
// refused.
TEST(AttackList, IsToldOnRequest) {
  const auto list = run_emulator({"--attack=help"});
  EXPECT_EQ(list.process.exit_code, 0);
  const auto lines = split_lines(list.process.out);
  EXPECT_THAT(lines, Contains(StartsWith("read-secret ")));
  EXPECT_THAT(lines, Contains(HasSubstr("ends the run, so only by its full name")));
  EXPECT_THAT(lines, Contains(HasSubstr("not in android14-6.1")));
  const auto refused = run_emulator({"--attack=nosuch*"});
  EXPECT_EQ(refused.process.exit_code, 2);
  EXPECT_THAT(refused.process.err, HasSubstr("--attack=help lists them"));
}

}  // namespace
}  // namespace pkvmemu::test
