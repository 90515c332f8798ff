// SPDX-License-Identifier: GPL-2.0-only
// The wish `await` where nobody hands anything in: `pkvm-emu run` and QEMU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/emulator.h"
#include "run_plan.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;

// The kernel goes on at once, on both machines, and carries out what stands behind it.
TEST(Await, GoesOnWhereNobodyHandsAnythingIn) {
  tool::RunOptions options;
  options.modules = {module("hello")};
  options.wishes = *tool::parse_rc("early await\nawait\ncall hello_hvc:1,2\n", "rc");
  const auto plan = tool::make_plan(options);
  ASSERT_TRUE(plan) << plan.error().message;
  const ScratchDirectory scratch;
  const auto archive = scratch.path() / "initramfs";
  ASSERT_TRUE(write_file(archive, plan->initramfs));

  const Arguments arguments = {"--initramfs", archive.string(), "hello"};
  const auto ours = run_emulator(arguments);
  EXPECT_EQ(ours.process.exit_code, 0) << ours.process.out << ours.process.err;
  EXPECT_THAT(ours.console, Contains("call hello_hvc(0x1, 0x2): x0=0x0 x1=0x3 x2=0x2 x3=0x0"));
  EXPECT_EQ(run_qemu(arguments), ours.console);
}

}  // namespace
}  // namespace pkvmemu::test
