// SPDX-License-Identifier: GPL-2.0-only
// What a real android15-6.6 pKVM answered while modules were loaded, row by row
// (docs/conformance.md, "Loading").
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/emulator.h"
#include "modules/memory/operations.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto va48 = "pkvmemu.va_bits=48";

// Row 1: load, then register a handler: 0, and the first dynamic id, 128.
TEST(Loading, FirstHandlerOfALoadedModuleIs128) {
  const auto run = run_emulator({module("calls")});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  const auto& loaded = run.report.at("modules").at(0);
  EXPECT_TRUE(loaded.at("loaded").get<bool>());
  EXPECT_EQ(loaded.at("handlers").at(0).at("id"), 128);
}

// Row 2: with 48-bit addresses and RAM at 0x4000_0000 the first module lies at 0x4000_0840_0000.
TEST(Loading, FirstModuleLiesWhereARealKernelPutsIt) {
  const auto run = run_emulator({module("calls"), "--cmdline", va48});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("modules").at(0).at("hyp_va"), "0x400008400000");
}

// Row 3: hyp linear VA of PA 0x40a8_1000 is 0x8000_00a8_1000, and hyp_pa leads back.
TEST(Loading, LinearMapIsWhereARealKernelPutsIt) {
  const auto run = run_emulator({module("memory"), "--cmdline", va48, "--call",
                                 fmt::format("memory_hvc:{},0x40a81", +MEMORY_LINEAR)});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  const auto& result = run.report.at("calls").at(0).at("result");
  EXPECT_EQ(result.at(1), "0x800000a81000");
  EXPECT_EQ(result.at(2), "0x40a81000");
}

// Row 4: the second handler, of whatever module, is 129.
TEST(Loading, SecondHandlerIs129) {
  const auto run = run_emulator({module("calls"), module("counter")});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("modules").at(1).at("handlers").at(0).at("id"), 129);
}

// Row 5: 128 handlers fit, the next one answers -12.
TEST(Loading, The129thHandlerIsRefused) {
  const auto run = run_emulator({module("manyhandlers")});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  const auto& handlers = run.report.at("modules").at(0).at("handlers");
  ASSERT_EQ(handlers.size(), 128U);
  EXPECT_EQ(handlers.back().at("id"), 255);
  EXPECT_THAT(run.console, Contains(HasSubstr("-12")));
}

// Row 6, in its documented form: init's -12 comes back to EL1, the pages go back to the host, and
// neither side panics.
TEST(Loading, FailingInitIsAnErrorAndNoPanic) {
  const auto run = run_emulator({module("initfail")});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains(HasSubstr("Failed to init EL2 module: -12")));
  EXPECT_THAT(lines_with(run.console, "panic"), IsEmpty());
  const auto& failed = run.report.at("modules").at(0);
  EXPECT_FALSE(failed.at("loaded").get<bool>());
  EXPECT_EQ(failed.at("error"), -12);
  EXPECT_TRUE(run.report.at("deprivileged").get<bool>());
  EXPECT_FALSE(run.report.at("protected_vms").at("available").get<bool>());
}

// Row 7: once the host is deprivileged a load answers -95 and nothing else happens.
TEST(Loading, LateLoadIsRefused) {
  const auto run = run_emulator(
      {module("calls"), "--late", module("counter"), "--call", "calls_hvc:0x11,0x22,0x33,0x44"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(lines_with(run.console, "counter"), Contains(HasSubstr("-95")));
  EXPECT_EQ(run.report.at("calls").at(0).at("result").at(1), "0x66");
  EXPECT_TRUE(run.report.at("protected_vms").at("available").get<bool>());
}

// Row 8: the first failure ends the list; firmware memory is cleared; boot and deprivilege go on.
TEST(Loading, MissingModuleEndsTheListAndWipesTheFirmware) {
  const auto run =
      run_emulator({module("calls"), "--cmdline", "kvm-arm.protected_modules=nosuch,calls"});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains(HasSubstr("Failed to load pkvm module nosuch: 256")));
  EXPECT_THAT(run.console, Contains(HasSubstr("Clearing pKVM firmware memory")));
  for (const auto& entry : run.report.at("modules"))
    EXPECT_FALSE(entry.at("loaded").get<bool>());
  EXPECT_TRUE(run.report.at("deprivileged").get<bool>());
  EXPECT_FALSE(run.report.at("protected_vms").at("available").get<bool>());
}

// Row 9: with no IOMMU driver the init error is -19 and firmware memory is cleared.
TEST(Loading, NoIommuDriverWipesTheFirmware) {
  const auto run = run_emulator({module("calls"), "--no-iommu"});
  EXPECT_THAT(run.console, Contains(HasSubstr("pKVM enabled with no IOMMU driver")));
  EXPECT_THAT(run.console, Contains(HasSubstr("-19")));
  EXPECT_THAT(run.console, Contains(HasSubstr("Clearing pKVM firmware memory")));
  EXPECT_TRUE(run.report.at("modules").at(0).at("loaded").get<bool>());
  EXPECT_FALSE(run.report.at("protected_vms").at("available").get<bool>());
}

// An EL2 fault in a handler ends in a hyp panic that names function, module and syndrome.
TEST(HypPanic, NamesSymbolModuleAndSyndrome) {
  const auto run = run_emulator({module("faulty"), "--call", "faulty_hvc"});
  EXPECT_EQ(run.process.exit_code, 12) << run.process.out << run.process.err;
  EXPECT_THAT(lines_with(run.console, "nVHE hyp panic at"), Contains(HasSubstr("faulty")));
  EXPECT_THAT(run.console, Contains(HasSubstr("HYP panic:")));
  EXPECT_THAT(run.console, Contains(HasSubstr("ESR:0000000097c98045")));
  EXPECT_THAT(run.console, Contains(HasSubstr("FAR:000000000dead000")));
}

}  // namespace
}  // namespace pkvmemu::test
