// SPDX-License-Identifier: GPL-2.0-only
// Faults asked for on the command line: a step of a load that fails leaves protected VMs
// unavailable, and the report says what failed and how often.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"

namespace pkvmemu::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Faults : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static EmulatorRun run_hello(Arguments more) {
    more.insert(more.begin(), {module(fmt::format("{}/hello", GetParam().kmi)), "--pvm"});
    return run_emulator(more);
  }
  static bool has_descriptor() { return GetParam().id == pkvm::Generation::android16_6_12; }
};

INSTANTIATE_TEST_SUITE_P(Generations, Faults, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           std::string name(instance.param.kmi);
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

// Whichever step of a load fails, the module is not loaded and no pvmfw reports in.
TEST_P(Faults, AFailingStepOfALoadKeepsProtectedVmsAway) {
  Arguments steps = {"load.find_file",
                     "load.read_file",
                     "load.record",
                     "load.symbol",
                     "load.relocation",
                     "load.parameters",
                     "load.el1_init",
                     "load.phase",
                     "load.hvc.alloc_module_va",
                     "load.hvc.map_module_page",
                     "load.hvc.init_module",
                     "load.hvc.register_hcall",
                     "host.module_memory",
                     "hyp.module.alloc_va",
                     "hyp.module.map_page",
                     "hyp.module.init",
                     "hyp.module.register",
                     "hyp.donate",
                     "hyp.va.take",
                     "hyp.module.map_page:nth=2"};
  if (has_descriptor()) steps.insert(steps.end(), {"load.hvc.host_share_hyp", "hyp.share"});
  for (const std::string& step : steps) {
    const auto run = run_hello({"--fail", step});
    EXPECT_EQ(run.process.exit_code, 10) << step << "\n" << run.process.out << run.process.err;
    EXPECT_EQ(run.report.at("faults").at(0).at("fired"), 1) << step;
    EXPECT_FALSE(run.report.at("protected_vms").at("available").get<bool>()) << step;
    EXPECT_THAT(run.process.out, Not(HasSubstr("pvmfw: running"))) << step;
  }
}

// Firmware that cannot be wiped after a failed load is not offered either; released kernels of 6.1
// and 6.6 go on offering it (pkvm-abi.md 6.5).
TEST_P(Faults, FirmwareThatCannotBeWipedIsForgotten) {
  const std::string failing = module(fmt::format("{}/initfail", GetParam().kmi));
  const Arguments arguments = {failing, "--pvm", "--fail", "host.wipe"};
  const auto run = run_emulator(arguments);
  EXPECT_THAT(run.process.out, Not(HasSubstr("pvmfw: running")));
  const bool kept = GetParam().id != pkvm::Generation::android16_6_12;
  EXPECT_EQ(run.process.out.contains("defect failed-wipe-keeps-firmware"), kept) << run.process.out;

  // As shipped, with a module that fails without that module's own shipped defect.
  const auto shipped = run_emulator({"--pvm", "--fail", "host.wipe", "--as-shipped", "--cmdline",
                                     fmt::format("pkvmemu.generation={} "
                                                 "kvm-arm.protected_modules=nosuch",
                                                 GetParam().kmi)});
  EXPECT_EQ(shipped.process.out.contains("pvmfw: running"), kept) << shipped.process.out;
}

// A step of a VM that fails fails that VM; the module is as well as before.
TEST_P(Faults, AFailingStepOfAVmFailsTheVm) {
  for (const char* step : {"vm.create", "vm.set_firmware", "vm.hvc.init_vm", "vm.hvc.init_vcpu",
                           "vm.hvc.map:nth=2", "hyp.vm.init", "hyp.vm.init_vcpu",
                           "hyp.guest.donate", "hyp.guest.table", "hyp.guest.refill"}) {
    const auto run = run_hello({"--fail", step});
    EXPECT_EQ(run.process.exit_code, 11) << step << "\n" << run.process.out << run.process.err;
    EXPECT_THAT(run.process.out, HasSubstr("module hello: loaded")) << step;
  }
}

// A fault whose time never came has tested nothing: it is told, and the run is not good.
TEST_P(Faults, AFaultThatNeverComesToPassIsTold) {
  const auto run = run_hello({"--fail", "hyp.module.map_page:nth=1000"});
  EXPECT_EQ(run.process.exit_code, 11);
  EXPECT_THAT(run.process.out,
              HasSubstr("fault hyp.module.map_page: NOT injected: it was to fail the 1000. time"));
  EXPECT_EQ(run.report.at("faults").at(0).at("fired"), 0);
  EXPECT_GT(run.report.at("faults").at(0).at("reached"), 0);
}

// Watching a site changes nothing: a run with a fault that never happens prints what it always
// does.
TEST_P(Faults, AWatchedSiteRunsAsAlways) {
  const auto plain = run_hello({});
  const auto watched = run_hello({"--fail", "hyp.donate:nth=1000"});
  EXPECT_EQ(plain.console, watched.console);
  EXPECT_EQ(plain.report.at("instructions"), watched.report.at("instructions"));
}

// A site that does not exist is a wrong command line, and the message names those that do.
TEST(FaultOption, AnUnknownSiteIsRefused) {
  const auto run = run_emulator({"--fail", "hyp.pool.tak"});
  EXPECT_EQ(run.process.exit_code, 2);
  EXPECT_THAT(run.process.err, HasSubstr("no fault site 'hyp.pool.tak'; there are hyp."));
}

}  // namespace
}  // namespace pkvmemu::test
