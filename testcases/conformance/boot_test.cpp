// SPDX-License-Identifier: GPL-2.0-only
// Boot order, the list of protected modules, and finalisation (pkvm-abi.md 6.1 to 6.3), row by row
// of testcases/data/conformance/finalisation.yaml.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "archive.h"
#include "every_generation.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr auto wiped = "Clearing pKVM firmware memory";
constexpr auto deprivileged = "host deprivileged";
constexpr auto initialised = "kvm: protected nVHE mode initialised";

class Boot : public GenerationTest {
 protected:
  static std::string release_folder() { return std::string(GetParam().kernel_release) + "/"; }
  static std::size_t place_of(const EmulatorRun& run, std::string_view part) {
    const auto found = std::ranges::find_if(
        run.console, [&](const std::string& line) { return line.contains(part); });
    EXPECT_NE(found, run.console.end()) << part;
    return static_cast<std::size_t>(found - run.console.begin());
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, Boot, testing::ValuesIn(pkvm::generations), generation_slug);

// Early parameters, the hypervisor, the list, the privileges, and only then the rest; each step is
// on the console in its place.
TEST_P(Boot, StepsComeInTheirOrder) {
  holds("6.1/order", id());
  const auto run = run_on_both(
      {own("hello"), own("counter"), "--late", own("calls"), "--call", "hello_hvc:1,2"});
  const std::vector<std::size_t> places = {
      place_of(run, "pkvm-emu host kernel"), place_of(run, initialised),
      place_of(run, "hello: hypercall 128"), place_of(run, "counter: hypercall 129"),
      place_of(run, deprivileged),           place_of(run, "late calls: -95"),
      place_of(run, "call hello_hvc")};
  EXPECT_TRUE(std::ranges::is_sorted(places)) << run.process.out;
}

// Between the hypervisor's start and the loss of privileges a load works, asked for by whomever;
// behind it the same one is refused.
TEST_P(Boot, AModuleMayComeByAnotherWayBeforeFinalisation) {
  holds("6.1/other_ways_in", id());
  holds("6.1/late_is_refused", id());
  Archive archive;
  archive.module(release_folder(), "calls", own("calls"))
      .module(release_folder(), "counter", own("counter"))
      .file("pkvm-emu.rc", "early late calls\nlate counter\n");
  const auto run = run_on_both({"--initramfs", archive.write(), "--cmdline",
                                fmt::format("pkvmemu.generation={}", GetParam().kmi)});
  EXPECT_THAT(run.console, Contains("calls: hypercall 128"));
  EXPECT_THAT(run.console, Contains("late calls: 0"));
  EXPECT_THAT(run.console, Contains("late counter: -95"));
  EXPECT_LT(place_of(run, "late calls: 0"), place_of(run, deprivileged));
  EXPECT_LT(place_of(run, deprivileged), place_of(run, "late counter: -95"));
}

// A reserved-memory node is what makes firmware exist: without a wipe its bytes are as they were.
TEST_P(Boot, FirmwareIsFoundByItsNode) {
  holds("6.1/firmware_node", id(), HeldOn::machine);
  const auto good = run_emulator({own("hello")});
  EXPECT_TRUE(good.report.at("protected_vms").at("available").get<bool>());
  const auto bad = run_emulator({own("initfail")});
  EXPECT_FALSE(bad.report.at("protected_vms").at("available").get<bool>());
}

// 6.1's kernel passes "-d /lib/modules/" first and tries once more without: a module that fails in
// the flat folder comes from the release's. Later kernels run modprobe once, in the release's.
TEST_P(Boot, TheHelperIsRunOnceMoreWithoutItsFolder) {
  holds("6.2/module_path", id());
  Archive archive;
  archive.module("", "initfail", own("initfail"))
      .module("", "hello", own("hello"))
      .module(release_folder(), "initfail", own("calls"));
  const auto run = run_on_both(
      {"--initramfs", archive.write(), "--cmdline",
       fmt::format("pkvmemu.generation={} kvm-arm.protected_modules=initfail", GetParam().kmi)});
  const bool twice = id() == Generation::android14_6_1;
  EXPECT_THAT(lines_with(run.console, "Failed to init EL2 module: -12"), SizeIs(twice ? 1 : 0));
  EXPECT_THAT(run.console, Contains("calls: hypercall 128"));
  EXPECT_THAT(run.console, Not(Contains(wiped)));
}

// The bad twin: it fails in both places, and then for good.
TEST_P(Boot, TheHelperIsRunTwiceAtMost) {
  holds("6.2/module_path", id());
  Archive archive;
  archive.module("", "initfail", own("initfail"))
      .module(release_folder(), "initfail", own("initfail"));
  const auto run = run_on_both(
      {"--initramfs", archive.write(), "--cmdline",
       fmt::format("pkvmemu.generation={} kvm-arm.protected_modules=initfail", GetParam().kmi)});
  const bool twice = id() == Generation::android14_6_1;
  EXPECT_THAT(lines_with(run.console, "Failed to init EL2 module: -12"), SizeIs(twice ? 2 : 1));
  EXPECT_THAT(lines_with(run.console, "Failed to load pkvm module initfail: 256"), SizeIs(1));
}

/// One way to write the list, and what loads: a row of 6.2.
struct ListRow {
  std::string slug;
  std::string row;
  std::string cmdline;
  std::vector<std::string> loaded;

  friend void PrintTo(const ListRow& each, std::ostream* out) { *out << each.cmdline; }
};

class ModuleList : public testing::TestWithParam<std::tuple<pkvm::GenerationInfo, ListRow>> {};
INSTANTIATE_TEST_SUITE_P(
    Lists, ModuleList,
    testing::Combine(
        testing::ValuesIn(pkvm::generations),
        testing::Values(ListRow{"EmptyItems",
                                "6.2/empty_items",
                                "kvm-arm.protected_modules=,hello,,counter,",
                                {"hello", "counter"}},
                        ListRow{
                            "OnlyCommas", "6.2/empty_items", "kvm-arm.protected_modules=,,", {}},
                        ListRow{"NoValueAfterAList",
                                "6.2/no_value",
                                "kvm-arm.protected_modules=hello kvm-arm.protected_modules",
                                {"hello"}},
                        ListRow{"NoValueAlone", "6.2/no_value", "kvm-arm.protected_modules", {}},
                        ListRow{"LaterReplaces",
                                "6.2/later_replaces",
                                "kvm-arm.protected_modules=hello kvm-arm.protected_modules=counter",
                                {"counter"}},
                        ListRow{"ListOrder",
                                "6.2/order",
                                "kvm-arm.protected_modules=counter,hello",
                                {"counter", "hello"}},
                        ListRow{"UnderscoreInTheName",
                                "6.2/syntax",
                                "kvm_arm.protected_modules=counter,hello",
                                {"counter", "hello"}})),
    [](const auto& instance) {
      return fmt::format("{}_{}", std::get<1>(instance.param).slug,
                         slug_of(std::get<0>(instance.param)));
    });

// Exactly these modules load, in this order; none of these ways to write a list wipes the firmware.
TEST_P(ModuleList, LoadsWhatItSays) {
  const auto& [generation, row] = GetParam();
  holds(row.row, generation.id);
  Archive archive;
  const std::string folder = std::string(generation.kernel_release) + "/";
  for (const std::string name : {"hello", "counter"})
    archive.module(folder, name, module(fmt::format("{}/{}", generation.kmi, name)));
  const Arguments arguments{"--initramfs", archive.write(), "--cmdline",
                            fmt::format("pkvmemu.generation={} {}", generation.kmi, row.cmdline)};
  const auto run = run_emulator(arguments);
  EXPECT_EQ(run_qemu(arguments), run.console) << "the second one is ours";
  std::vector<std::string> loaded;
  for (const std::string& line : lines_with(run.console, ": hypercall "))
    loaded.push_back(line.substr(0, line.find(':')));
  EXPECT_EQ(loaded, row.loaded) << run.process.out;
  EXPECT_THAT(run.console, Not(Contains(wiped)));
  EXPECT_THAT(run.console, Contains(deprivileged));
}

// A list without a value is an error of the parser, and the user is told.
TEST_P(Boot, AListWithoutValueIsTold) {
  holds("6.2/no_value", id());
  const auto run = run_on_both({own("hello"), "--cmdline", "kvm-arm.protected_modules"});
  EXPECT_THAT(run.console, Contains(HasSubstr("kvm-arm.protected_modules needs a value")));
  EXPECT_THAT(run.console, Contains("hello: hypercall 128"));
}

// The first failure ends the list: the modules before it stay and answer, the later ones are never
// looked at; 256 is exit status 1 of the helper.
TEST_P(Boot, TheFirstFailureEndsTheList) {
  holds("6.2/first_failure_ends", id());
  holds("6.2/helper_status", id());
  holds("6.3/modules_fail", id());
  const auto run =
      run_on_both({own("hello"), own("initfail"), own("counter"), "--call", "hello_hvc:1,2"});
  EXPECT_THAT(run.console, Contains("hello: hypercall 128"));
  EXPECT_THAT(run.console, Contains("Failed to load pkvm module initfail: 256"));
  EXPECT_THAT(lines_with(run.console, "counter"), IsEmpty());
  EXPECT_THAT(lines_with(run.console, wiped), SizeIs(1));
  EXPECT_THAT(run.console, Contains(deprivileged));
  EXPECT_EQ(x(run, 0, 1), "0x3") << "modules before the failing one stay active";
}

// Any failing reason gives the helper's one status: not there, not a module, init's error.
TEST_P(Boot, EveryFailureIsTheHelpersStatus) {
  holds("6.2/helper_status", id());
  for (const std::string name : {"nosuch", "el1fail", "initfail"}) {
    const auto run = run_on_both({own("hello"), own("el1fail"), own("initfail"), "--cmdline",
                                  "kvm-arm.protected_modules=" + name});
    EXPECT_THAT(run.console, Contains(fmt::format("Failed to load pkvm module {}: 256", name)));
  }
}

// All in the list load and a driver is there: nothing is wiped, the host loses its privileges.
TEST_P(Boot, AllGoodIsNoWipe) {
  holds("6.3/modules_good", id());
  holds("6.3/privileges", id());
  const auto run = run_on_both({own("hello"), own("counter"), "--hvc",
                                fmt::format("{:#x}", 0xc6000000U + GetParam().first_late_call)});
  EXPECT_THAT(run.console, Not(Contains(wiped)));
  EXPECT_THAT(run.console, Contains(deprivileged));
  EXPECT_EQ(x(run, 0, 1), "0xffffffffffffffff") << "prot_finalize has run on this CPU: -EPERM";
  EXPECT_TRUE(run.report.at("deprivileged").get<bool>());
}

// Unprotected: the list is ignored, the firmware wiped all the same, nobody is deprivileged, and a
// load answers -95.
TEST_P(Boot, UnprotectedModeWipesAndIgnoresTheList) {
  holds("6.3/precondition_mode", id());
  holds("6.2/guard_unprotected", id());
  holds("3.5/not_protected", id());
  for (const std::string mode : {"nvhe", "none"}) {
    const auto run =
        run_on_both({own("hello"), "--late", own("counter"), "--cmdline", "kvm-arm.mode=" + mode});
    EXPECT_THAT(lines_with(run.console, "hello:"), IsEmpty());
    EXPECT_THAT(lines_with(run.console, wiped), SizeIs(1));
    EXPECT_THAT(run.console, Not(Contains(deprivileged)));
    EXPECT_THAT(run.console, Contains("late counter: -95"));
    EXPECT_FALSE(run.report.at("deprivileged").get<bool>());
  }
}

// Without an IOMMU driver the firmware goes; from 6.6 on the driver's -ENODEV is told.
TEST_P(Boot, NoIommuDriverIsAReasonToWipe) {
  if (id() == Generation::android14_6_1)
    holds("6.3/iommu_not_finalised", id());
  else
    holds("6.3/iommu_no_driver", id());
  const auto run = run_on_both({own("hello"), "--no-iommu"});
  EXPECT_THAT(lines_with(run.console, wiped), SizeIs(1));
  EXPECT_THAT(lines_with(run.console, "error -19"),
              SizeIs(exists_since(Generation::android15_6_6)));
  EXPECT_THAT(run.console, Contains(deprivileged));
}

// A driver that is there and says so is no reason.
TEST_P(Boot, AnIommuDriverIsEnough) {
  holds("6.3/iommu_good", id());
  const auto run = run_on_both({own("hello")});
  EXPECT_THAT(lines_with(run.console, wiped), IsEmpty());
  EXPECT_THAT(lines_with(run.console, "IOMMU"), IsEmpty());
}

// A CPU that cannot give up its privileges, here since somebody else has made it do so before: 6.1
// tells and wipes, 6.6 is dead, 6.12 as it was shipped tells and goes on. (6.1's wipe is the host's
// end on our machine: stage 2 is on already, and the firmware is the hypervisor's.)
TEST_P(Boot, ACpuThatStaysPrivileged) {
  holds("6.3/cpu_fails", id());
  Archive archive;
  archive.module(release_folder(), "hello", own("hello"))
      .file("pkvm-emu.rc",
            fmt::format("early hvc {:#x}\n", 0xc6000000U + GetParam().first_late_call));
  const auto run = run_into_panic_on_both(
      {"--initramfs", archive.write(), "--as-shipped", "--cmdline",
       fmt::format("pkvmemu.generation={} kvm-arm.protected_modules=hello", GetParam().kmi)});
  EXPECT_THAT(run.console, Contains(HasSubstr("prot_finalize: error -1")));
  const auto panics = lines_with(run.console, "Kernel panic: prot_finalize: error -1");
  EXPECT_THAT(panics, SizeIs(id() == Generation::android15_6_6 ? 1 : 0));
  EXPECT_THAT(lines_with(run.console, wiped), SizeIs(id() == Generation::android14_6_1 ? 1 : 0));
  EXPECT_THAT(lines_with(run.console, "done: power off"),
              SizeIs(id() == Generation::android16_6_12 ? 1 : 0));
}

}  // namespace
}  // namespace pkvmemu::test
