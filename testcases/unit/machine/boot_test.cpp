// SPDX-License-Identifier: GPL-2.0-only
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "guest_image.h"
#include "machine/machine.h"

namespace pkvmemu::machine {
namespace {

// A bare image enters at EL2 with the devicetree in x0, drops to EL1, and powers off by PSCI.
TEST(Boot, ABareImageRunsAtBothLevelsAndPowersOff) {
  const Bytes image = testing::guest("hello");
  std::string sunk;
  auto machine = Machine::create(
      {.kernel = image, .console_sink = [&](std::string_view text) { sunk += text; }});
  ASSERT_TRUE(machine) << machine.error().message;
  const Exit exit = (*machine)->run();
  EXPECT_EQ(name_of(exit.reason), "powered-off") << exit.detail;
  EXPECT_EQ((*machine)->console(), "hello from EL2\nhello from EL1\n");
  EXPECT_EQ(testing::run_under_qemu("hello"), (*machine)->console());
  EXPECT_EQ(sunk, (*machine)->console());
}

}  // namespace
}  // namespace pkvmemu::machine
