// SPDX-License-Identifier: GPL-2.0-only
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/machine.h"

namespace pkvmemu::machine {
namespace {

Bytes guest(std::string_view name) {
  auto image = read_file(fmt::format("{}/guests/{}.bin", PKVMEMU_BUILD_DIR, name));
  EXPECT_TRUE(image) << image.error().message;
  return image.value_or(Bytes{});
}

// A bare image enters at EL2 with the devicetree in x0, drops to EL1, and powers off by PSCI.
TEST(Boot, ABareImageRunsAtBothLevelsAndPowersOff) {
  const Bytes image = guest("hello");
  std::string sunk;
  auto machine = Machine::create(
      {.kernel = image, .console_sink = [&](std::string_view text) { sunk += text; }});
  ASSERT_TRUE(machine) << machine.error().message;
  const Exit exit = (*machine)->run();
  EXPECT_EQ(name_of(exit.reason), "powered-off") << exit.detail;
  EXPECT_EQ((*machine)->console(), "hello from EL2\nhello from EL1\n");
  EXPECT_EQ(sunk, (*machine)->console());
}

}  // namespace
}  // namespace pkvmemu::machine
