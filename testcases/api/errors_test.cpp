// SPDX-License-Identifier: GPL-2.0-only
// What is wrong with a test, and not with the guest, is an exception with advice in it.
#include <gtest/gtest.h>

#include <optional>

#include "harness/emulator.h"
#include "pkvmemu/gmock.h"
#include "pkvmemu/pkvmemu.h"

namespace pkvmemu::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::filesystem::path hello() {
  return module("hello");
}

// A file that is not there, or no module, is named.
TEST(Errors, Files) {
  EXPECT_THAT([] { Emulator::boot({.modules = {"/nowhere/x.ko"}}); },
              ThrowsMessage<FileError>(HasSubstr("/nowhere/x.ko")));
  EXPECT_THAT([] { Emulator::boot({.modules = {"/etc/passwd"}}); },
              ThrowsMessage<FileError>(HasSubstr("/etc/passwd")));
  EXPECT_THROW(Emulator::boot({.firmware = "/nowhere/Image"}), FileError);
}

// Modules of two generations do not run together.
TEST(Errors, TwoGenerations) {
  EXPECT_THROW(Emulator::boot(
                   {.modules = {module("android14-6.1/hello"), module("android16-6.12/counter")}}),
               Exception);
}

// Unknown sites name those that are alike, at boot and later.
TEST(Errors, Sites) {
  auto emulator = Emulator::boot({});
  EXPECT_THAT([&] { emulator.fail("hyp.pool.tak"); },
              ThrowsMessage<UsageError>(HasSubstr("no fault site 'hyp.pool.tak'")));
  EXPECT_THROW(emulator.fail("hyp.donate:nth=0"), UsageError);
  EXPECT_THROW(Emulator::boot({.faults = {"nosuch"}}), UsageError);
  EXPECT_THROW((void)emulator.reached("nosuch"), UsageError);
}

// Requests that cannot be made of the kernel are refused before it hears of them.
TEST(Errors, Requests) {
  auto emulator = Emulator::boot({.modules = {hello()}});
  const std::uint64_t before = emulator.instructions();
  EXPECT_THROW(emulator.call("hello_hvc", {1, 2, 3, 4, 5, 6, 7, 8}), UsageError);
  EXPECT_THROW(emulator.call("hello_hvc:1"), UsageError);
  EXPECT_THROW(emulator.call("two words"), UsageError);
  EXPECT_THROW(emulator.call(12), UsageError);
  EXPECT_THROW(emulator.load("nosuch.ko"), UsageError);
  EXPECT_THROW(emulator.load("hello", std::string(2000, 'a')), UsageError);
  EXPECT_THROW(emulator.load("hello", "a=1\nhvc 0"), UsageError);
  EXPECT_THROW(emulator.read(PhysicalAddress{std::uint64_t{1} << 60U}), UsageError);
  EXPECT_THROW((void)emulator.memory(PhysicalAddress{0x1000}, 16), UsageError);
  EXPECT_THROW((void)emulator.module("nosuch"), UsageError);
  EXPECT_THROW(emulator.run_vm("hello,hello"), UsageError);
  EXPECT_EQ(emulator.instructions(), before);
  EXPECT_THAT(emulator.call("hello_hvc", {1, 2}), Answers(0, 3));
}

// Each stage takes its own requests.
TEST(Errors, Stages) {
  auto emulator = Emulator::boot({.modules = {hello()}, .stop_at = Stage::before_modules});
  EXPECT_EQ(emulator.stage(), Stage::before_modules);
  EXPECT_THROW(emulator.call("hello_hvc"), UsageError);
  emulator.advance_to(Stage::before_deprivilege);
  EXPECT_THAT(emulator.call("hello_hvc", {1, 2}), Answers(0, 3));
  EXPECT_THAT([&] { emulator.run_protected_vm(); },
              ThrowsMessage<UsageError>(HasSubstr("after_deprivilege")));
  emulator.finish();
  EXPECT_THAT([&] { emulator.call("hello_hvc"); },
              ThrowsMessage<UsageError>(HasSubstr("the run has ended: powered-off")));
}

// A moment belongs to its emulator, may outlive it, and is then of no use.
TEST(Errors, Snapshots) {
  std::optional<Emulator> one = Emulator::boot({});
  auto other = Emulator::boot({});
  const Snapshot moment = one->snapshot();
  EXPECT_THROW(other.restore(moment), UsageError);
  EXPECT_THROW(other.restore(Snapshot()), UsageError);
  one.reset();
  EXPECT_THROW(other.restore(moment), UsageError);
}

// A run that reports without end says so instead of losing answers.
TEST(Errors, TooManyEvents) {
  auto emulator = Emulator::boot({.modules = {hello()}});
  EXPECT_THAT(
      [&] {
        for (std::uint64_t i = 0; i < 65'536; ++i)
          ASSERT_THAT(emulator.call("hello_hvc", {i, 1}), Answers(0, i + 1));
      },
      ThrowsMessage<UsageError>(HasSubstr("go back to a snapshot now and then")));
}

}  // namespace
}  // namespace pkvmemu::test
