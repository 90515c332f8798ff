// SPDX-License-Identifier: GPL-2.0-only
// Faults asked for on the command line: a step of a load that fails leaves protected VMs
// unavailable, and the report says what failed and how often.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"
#include "pkvm/quirk.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class Faults : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static EmulatorRun run_hello(Arguments more) {
    more.insert(more.begin(), {module(fmt::format("{}/hello", GetParam().kmi)), "--pvm"});
    return run_emulator(more);
  }
  struct Met {
    std::string fault;  ///< as --fail takes it
    EmulatorRun run;
  };
  /// The first time of the site whose failure meets the defect.
  static std::optional<Met> first_to_meet(std::string_view defect, std::string_view site,
                                          unsigned times) {
    for (unsigned n = 1; n <= times; ++n) {
      Met met{.fault = fmt::format("{}:nth={}", site, n), .run = {}};
      met.run = run_hello({"--fail", met.fault});
      for (const auto& row : met.run.report.at("defects"))
        if (row.at("name") == defect) return met;
    }
    return std::nullopt;
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

// A refill of the hypervisor's heap that fails half way: the kernel frees what the hypervisor did
// not take, and the VM alone fails; as shipped it frees pages of the hypervisor's and panics.
TEST_P(Faults, ARefillThatFailsHalfWayFreesWhatIsLeft) {
  if (!pkvm::has_quirk(GetParam().id, pkvm::Quirk::failed_refill_frees_given_pages))
    GTEST_SKIP() << "no heap to refill";
  holds("5/hyp_alloc_mgt_refill.left", GetParam().id, HeldOn::machine);
  // hello's own pages are donated first; how many depends on its sections.
  const auto met = first_to_meet("failed-refill-frees-given-pages", "hyp.donate", 20);
  ASSERT_TRUE(met) << "no donation of a refill behind its first";
  EXPECT_TRUE(met->run.report.at("host_panic").is_null()) << met->run.process.out;
  EXPECT_THAT(met->run.console, Contains(HasSubstr("done: power off")));
  EXPECT_THAT(met->run.process.out, HasSubstr("--as-shipped shows it"));

  const auto shipped = run_hello({"--fail", met->fault, "--as-shipped"});
  EXPECT_THAT(shipped.process.out, HasSubstr("reproduced: a refill"));
  EXPECT_THAT(shipped.console, Contains(HasSubstr("Kernel panic: data abort")));
}

// 6.12 goes on when prot_finalize fails: the firmware is wiped all the same, so that no protected
// VM starts beside a host that can reach its memory; as shipped one does.
TEST_P(Faults, AHostThatKeepsItsPrivilegesGetsNoProtectedVm) {
  if (!pkvm::has_quirk(GetParam().id, pkvm::Quirk::failed_privilege_drop_keeps_firmware))
    GTEST_SKIP() << "6.1 wipes, 6.6 stops";
  holds("6.3/cpu_fails.avoided", GetParam().id, HeldOn::machine);
  const auto run = run_hello({"--fail", "hyp.finalize"});
  EXPECT_THAT(run.process.out, HasSubstr("defect failed-privilege-drop-keeps-firmware"));
  EXPECT_THAT(run.process.out, Not(HasSubstr("pvmfw: running")));
  EXPECT_FALSE(run.report.at("protected_vms").at("available").get<bool>());
  EXPECT_FALSE(run.report.at("deprivileged").get<bool>());

  const auto shipped = run_hello({"--fail", "hyp.finalize", "--as-shipped"});
  EXPECT_THAT(shipped.process.out, HasSubstr("reproduced: protected VMs start"));
  EXPECT_THAT(shipped.process.out, HasSubstr("pvmfw: running"));
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
