// SPDX-License-Identifier: GPL-2.0-only
// The sample iommusketch with its device, as a script (docs/devices.md), which QEMU's board has
// not; and with one that never answers.
#include <fmt/format.h>

#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"
#include "iommusketch/numbers.h"

namespace pkvmemu::test {
namespace {

class SketchDevice : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static EmulatorRun run(const std::string& name, const std::string& device,
                         const Arguments& more = {}) {
    Arguments arguments = {module(fmt::format("{}/{}", GetParam().kmi, name)),
                           "--no-pvm",
                           "--cmdline",
                           "iommusketch.registers=0x10000000 " + name + ".registers=0x10000000",
                           "--mmio",
                           "0x10000000:0x1000=" + device};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_emulator(arguments);
  }
  static inline const std::string good = PKVMEMU_SKETCH "/device.yaml";
  static inline const std::string stuck = PKVMEMU_DATA "/stuck_iommu.yaml";
};
INSTANTIATE_TEST_SUITE_P(Generations, SketchDevice, testing::ValuesIn(pkvm::generations),
                         generation_name);

// The driver waits for its command, and switches the device on; the host may then read what the
// device is, from the driver, and nothing else.
TEST_P(SketchDevice, IsDriven) {
  const EmulatorRun done = run("iommusketch", good,
                               {"--touch", "r:0x10000000", "--touch", "r:0x10000004", "--call",
                                fmt::format("iommusketch_hvc:{}", SKETCH_ASK_COUNTS)});
  EXPECT_EQ(done.process.exit_code, 0) << done.process.out;
  EXPECT_EQ(lines_with(done.console, "iommusketch: driver 0").size(), 1U);
  EXPECT_EQ(lines_with(done.console, "touch r:0x10000000: 0x534b0001").size(), 1U);
  EXPECT_EQ(lines_with(done.console, "data abort, refused by the hypervisor").size(), 1U);
  holds("7.7/dabt_answer", GetParam().id, HeldOn::machine);
  holds("7.7/iommu_abort_handler", GetParam().id, HeldOn::machine);
}

// A device that never answers is an error of the driver, which brings the wipe.
TEST_P(SketchDevice, ThatIsStuckIsAnError) {
  const EmulatorRun done = run("iommusketch", stuck);
  EXPECT_EQ(lines_with(done.console, "iommusketch: driver -110").size(), 1U) << done.process.out;
  EXPECT_EQ(lines_with(done.console, "Clearing pKVM firmware memory").size(), 1U);
}

// The bad twin waits for ever: the budget ends it, and the verdict says where.
TEST_P(SketchDevice, ThatIsStuckHangsATwin) {
  const EmulatorRun done = run("iommusketch_waitsforever", stuck, {"--budget", "10000000"});
  EXPECT_EQ(done.process.exit_code, 14) << done.process.out;
  EXPECT_NE(done.process.out.find("registers_forget"), std::string::npos) << done.process.out;
}

}  // namespace
}  // namespace pkvmemu::test
