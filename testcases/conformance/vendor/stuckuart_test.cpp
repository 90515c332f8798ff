// SPDX-License-Identifier: GPL-2.0-only
// The sample stuckuart and its good twin: a serial driver at EL2 whose UART has no room any more.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/vendor/vendor_run.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Stuckuart : public VendorTest {
 protected:
  static VendorRun uart(const std::string& twin = "stuckuart") { return {GetParam(), {twin}}; }
  /// From its second look on, the driver is told that the UART is full; the kernel is not.
  static void fill(VendorRun& run, const std::string& twin, const std::string& times) {
    run.plan(
        fmt::format("  - {{mmio: 0x09000018, answer: 0x20, nth: 2, times: {}, "
                    "require: [{}/uart_putc]}}\n",
                    times, twin));
    run.budget("5M");
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, Stuckuart, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// With room, and with room after some waiting, the number comes out.
TEST_P(Stuckuart, Prints) {
  VendorRun run = uart();
  run.call("stuckuart_hvc:0x42", 0x42);
  run.run();
  EXPECT_THAT(run.last_run().console, Contains("0x0000000000000042"));

  VendorRun slow = uart();
  fill(slow, "stuckuart", "100");
  slow.call("stuckuart_hvc:0x42", 0x42);
  slow.run(0, VendorRun::On::machine);
  EXPECT_THAT(slow.last_run().console, Contains("0x0000000000000042"));
}

// A UART that is full for good holds the CPU at EL2. The budget ends the run, which says at which
// place of which function of which module it was; the first character had come out.
TEST_P(Stuckuart, TheBudgetEndsItAndSaysWhere) {
  VendorRun run = uart();
  fill(run, "stuckuart", "all");
  run.ask("stuckuart_hvc:0x42");
  run.run(14, VendorRun::On::machine);
  EXPECT_THAT(run.last_run().process.out, HasSubstr("uart_putc+0x"));
  EXPECT_THAT(run.last_run().process.out, HasSubstr("[stuckuart]"));
  EXPECT_THAT(run.last_run().process.out, Not(HasSubstr("0x0000000000000042")));
}

// Good twin: it loses characters, and the host goes on.
TEST_P(Stuckuart, ABoundedWaitLosesCharacters) {
  VendorRun run = uart("stuckuart_boundedwait");
  fill(run, "stuckuart_boundedwait", "all");
  run.call("stuckuart_hvc:0x42", 0x42);
  run.call("stuckuart_hvc:0x43", 0x43);
  run.run(0, VendorRun::On::machine);
  EXPECT_THAT(run.last_run().process.out, Not(HasSubstr("0x0000000000000042")));
}

}  // namespace
}  // namespace pkvmemu::test
