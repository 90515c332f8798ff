// SPDX-License-Identifier: GPL-2.0-only
// What the author of a module tests: answers of its handlers, what the host can reach, and that
// protected VMs are there if and only if the module is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pkvmemu/gmock.h>
#include <pkvmemu/pkvmemu.h>

#include <cerrno>
#include <filesystem>
#include <string>

namespace {

using namespace pkvmemu;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr PhysicalAddress page{0x5000'0000};
constexpr std::uint64_t pfn = page.value >> 12;

class VaultTest : public testing::TestWithParam<Generation> {
 protected:
  static std::filesystem::path module(const std::string& name) {
    return std::filesystem::path(MODULES) / name_of(GetParam()) / (name + ".ko");
  }
  static Emulator boot(Stage stage = Stage::after_deprivilege) {
    return Emulator::boot({.modules = {module("vault")}, .stop_at = stage});
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, VaultTest, testing::ValuesIn(generations),
                         [](const auto& info) { return std::string(identifier_of(info.param)); });

// The module loads, and protected VMs can be had with it.
TEST_P(VaultTest, Loads) {
  EXPECT_THAT(run({.modules = {module("vault")}}),
              AllOf(Module("vault", Loaded()), ProtectedVmsAvailable()));
}

// One that refuses to be loaded takes protected VMs away.
TEST_P(VaultTest, APickyModuleTakesProtectedVmsAway) {
  EXPECT_THAT(
      run({.modules = {module("picky")}}),
      AllOf(Module("picky", FailedToLoad(-ENODEV)), ProtectedVmsUnavailable(HasSubstr("picky"))));
}

// A page is locked once, and comes back.
TEST_P(VaultTest, LocksOnePage) {
  auto emulator = boot();
  EXPECT_THAT(emulator.call("vault_unlock"), Answers(0, -ENOENT));
  EXPECT_THAT(emulator.call("vault_lock", {pfn}), Answers(0, 0));
  EXPECT_THAT(emulator.call("vault_lock", {pfn + 1}), Answers(0, -EBUSY));
  EXPECT_THAT(emulator.call("vault_unlock"), Answers(0, 0));
}

// While it is locked, the host does not reach it.
TEST_P(VaultTest, TheHostIsKeptOut) {
  auto emulator = boot();
  EXPECT_THAT(emulator.write(page, 0x5ec2e7), IsDone());
  EXPECT_THAT(emulator.call("vault_lock", {pfn}), Answers(0, 0));
  EXPECT_THAT(emulator.read(page), Aborts());
  EXPECT_THAT(emulator.call("vault_unlock"), Answers(0, 0));
  EXPECT_THAT(emulator.read(page), Not(Aborts()));
}

// Three ways to go on from one moment.
TEST_P(VaultTest, GoesOnFromASnapshot) {
  auto emulator = boot();
  ASSERT_THAT(emulator.call("vault_lock", {pfn}), Answers(0, 0));
  const Snapshot locked = emulator.snapshot();
  EXPECT_THAT(emulator.call("vault_unlock"), Answers(0, 0));
  emulator.restore(locked);
  EXPECT_THAT(emulator.read(page), Aborts());
  emulator.restore(locked);
  EXPECT_THAT(emulator.finish(), ProtectedVmsAvailable());
}

// A hypervisor that has no memory for it fails the call, and nothing else.
TEST_P(VaultTest, AFailedDonationLeavesTheVaultEmpty) {
  auto emulator = boot();
  emulator.fail("hyp.donate:return=ENOMEM");
  EXPECT_THAT(emulator.call("vault_lock", {pfn}), Answers(0, -ENOMEM));
  EXPECT_THAT(emulator.call("vault_unlock"), Answers(0, -ENOENT));
  EXPECT_THAT(emulator.finish(), AllOf(Failed("hyp.donate"), ProtectedVmsAvailable()));
}

// Once the host has no privileges any more, no module comes in.
TEST_P(VaultTest, ComesTooLateAfterDeprivilege) {
  auto emulator = Emulator::boot({.more_modules = {module("vault")}});
  EXPECT_THAT(emulator.load("vault"), RefusedToLoad());
  EXPECT_THAT(emulator.call("vault_lock", {pfn}), NotMade());
}

// Whatever step of its load fails: protected VMs are there only if the module is.
TEST_P(VaultTest, NoFailedStepOfTheLoadLeavesProtectedVmsWithoutTheModule) {
  auto emulator = boot(Stage::before_modules);
  const Snapshot start = emulator.snapshot();
  for (const FaultSite& site : emulator.sites()) {
    emulator.restore(start);
    emulator.fail(site.name);
    const Verdict verdict = emulator.finish();
    const bool loaded = testing::Value(verdict, Module("vault", Loaded()));
    if (!loaded) EXPECT_THAT(verdict, Not(ProtectedVmsAvailable())) << site;
  }
}

}  // namespace
