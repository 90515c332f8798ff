// SPDX-License-Identifier: GPL-2.0-only
// What is left of protected VMs after any failed load (pkvm-abi.md 6.5, 9.4, 9.5; measured): the
// calls of a real kernel's user space, the firmware's bytes as the host, the hypervisor and we see
// them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../modules/memory/operations.h"
#include "archive.h"
#include "every_generation.h"
#include "harness/in_process.h"
#include "machine/placement.h"
#include "pkvm/platform.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t firmware_pa =
    machine::pvmfw_range(pkvm::platform::default_ram_size).base.value;
constexpr auto places = std::to_array<std::uint64_t>(
    {0, 0x1000, 0x2ff8, pkvm::platform::pvmfw_size / 2, pkvm::platform::pvmfw_size - 8});

/// Ways in which a listed module can fail to load, with memory.ko loaded before it.
class FailedLoads : public GenerationTest {
 protected:
  static std::string kernel() { return fmt::format("pkvmemu.generation={} ", GetParam().kmi); }
  static Arguments missing_file() {
    return {own("memory"), "--cmdline", kernel() + "kvm-arm.protected_modules=memory,nosuch"};
  }
  Arguments refused_file() {
    const std::string folder = std::string(GetParam().kernel_release) + "/";
    archive_.module(folder, "memory", own("memory"))
        .file("lib/modules/" + folder + "junk.ko", "no ELF file at all");
    return {"memory", "junk", "--initramfs", archive_.write(), "--cmdline", kernel()};
  }
  static Arguments failing_el2_init() { return {own("memory"), own("initfail")}; }
  static Arguments failing_el1_init() { return {own("memory"), own("el1fail")}; }

  static Arguments with(Arguments arguments, const Arguments& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static const nlohmann::json& guest(const EmulatorRun& run, std::size_t index) {
    return run.report.at("guests").at(index);
  }
  static std::int64_t answer(const nlohmann::json& guest, std::string_view what) {
    for (const auto& step : guest.at("steps"))
      if (step.at("what") == what) return step.at("answer");
    ADD_FAILURE() << "no step " << what;
    return 1;
  }
  /// Reads of the firmware's first words and its last one: by the host while it may, by the
  /// hypervisor at any time.
  static Arguments looks_at_firmware() {
    Arguments looks;
    for (const std::uint64_t place : places) {
      looks.insert(looks.end(), {"--touch", fmt::format("early r:{:#x}", firmware_pa + place)});
      looks.insert(looks.end(),
                   {"--call", fmt::format("memory_hvc:{},{:#x},{:#x}", int{MEMORY_READ},
                                          (firmware_pa + place) >> page_shift, place % page_size)});
    }
    return looks;
  }
  static void expect_zeros(const EmulatorRun& run) {
    const auto& touches = run.report.at("touches");
    const auto& calls = run.report.at("calls");
    ASSERT_EQ(touches.size(), places.size());
    ASSERT_EQ(calls.size(), places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      EXPECT_EQ(touches.at(i).at("value"), "0x0") << touches.at(i);
      EXPECT_EQ(calls.at(i).at("result").at(0), "0x0") << calls.at(i);
      EXPECT_EQ(calls.at(i).at("result").at(1), "0x0") << calls.at(i);
    }
  }
  /// The kernel's own VM, and one that asks for firmware.
  static void expect_no_firmware(const EmulatorRun& run) {
    const bool kept = GetParam().wipe_keeps_firmware_size;
    const auto& steps = run.report.at("protected_vms").at("steps");
    for (const nlohmann::json& asked : {nlohmann::json{{"steps", steps}}, guest(run, 0)}) {
      EXPECT_EQ(answer(asked, "create"), 0);
      EXPECT_EQ(answer(asked, "firmware info"), 0);
      EXPECT_EQ(asked.at("steps").at(1).at("bytes"), kept ? pkvm::platform::pvmfw_size : 0);
      EXPECT_EQ(answer(asked, "set firmware"), kept ? 0 : -22);
      if (kept) EXPECT_EQ(answer(asked, "run"), -14);
    }
    EXPECT_THAT(guest(run, 0).at("console"), IsEmpty());
    EXPECT_THAT(run.console, Not(Contains(HasSubstr("pvmfw: running"))));
  }

  Archive archive_;
};
INSTANTIATE_TEST_SUITE_P(Generations, FailedLoads, testing::ValuesIn(pkvm::generations),
                         generation_slug);

// Whatever failed: the answers are those that real kernels gave, no firmware reports in, and all of
// it is zero for whoever can look; guests without firmware run, and the modules before stay.
TEST_P(FailedLoads, TakeTheFirmwareAway) {
  for (const char* row : {"6.5/memory_zeroed", "6.5/bookkeeping", "6.5/create", "6.5/info",
                          "6.5/set_fw_ipa", "6.5/run_with_firmware", "6.5/run_without_firmware",
                          "6.5/ordinary_vm", "6.5/host_is_deprivileged", "6.5/modules_before_stay",
                          "9.5/no_check_of_modules", "measured/kvm/create", "measured/kvm/info",
                          "measured/kvm/set_fw_ipa", "measured/kvm/run_without_firmware"})
    holds(row, id());
  if (GetParam().wipe_keeps_firmware_size) holds("9.4/zeroed_firmware", id());
  const std::vector<std::pair<std::string, Arguments>> cases = {
      {"module nosuch: no such file", missing_file()},
      {"module junk: ", refused_file()},
      {"module initfail: init returned -12 (ENOMEM)", failing_el2_init()},
      {"module el1fail: EL1 init returned ", failing_el1_init()},
  };
  for (const auto& [why, arguments] : cases) {
    SCOPED_TRACE(why);
    const auto run = run_on_both(
        with(with(arguments, looks_at_firmware()), {"--pvm", "--pvm=bare:hello", "--vm"}));
    EXPECT_THAT(run.process.out, HasSubstr("protected VMs: NOT available: " + why));
    EXPECT_TRUE(run.report.at("deprivileged"));
    expect_zeros(run);
    expect_no_firmware(run);
    for (const std::size_t other : {1U, 2U})
      EXPECT_THAT(guest(run, other).at("console"), Contains("hello from EL1 of a guest")) << other;
  }
}

// Nothing failed: the same looks see firmware, and every guest runs. Without this the test above
// could not fail.
TEST_P(FailedLoads, LeaveNothingToSeeWhenNothingFailed) {
  holds("9.5/create_needs_protected_mode", id());
  const auto run = run_on_both(
      with(with({own("memory")}, looks_at_firmware()), {"--pvm", "--pvm=bare:hello", "--vm"}));
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  EXPECT_NE(run.report.at("touches").at(0).at("value"), "0x0");
  EXPECT_NE(run.report.at("calls").at(0).at("result").at(1), "0x0");
  EXPECT_EQ(answer(guest(run, 0), "set firmware"), 0);
  EXPECT_THAT(guest(run, 0).at("console"), Contains("pvmfw: payload verified"));
  const auto off = run_on_both({"--cmdline", kernel() + "kvm-arm.mode=nvhe"});
  EXPECT_EQ(off.report.at("protected_vms").at("steps").at(0).at("answer"), -22);
}

// All of the region, whatever lay behind the firmware in it, when the machine is off; and nobody
// touches it while nothing failed.
TEST_P(FailedLoads, LeaveTheWholeRegionZeroed) {
  struct Load {
    const char* module;
    const char* cmdline;
    bool fails;
  };
  constexpr std::uint64_t behind_the_image = 0x3000;
  const std::vector rest(pkvm::platform::pvmfw_size - behind_the_image, std::byte{0xaa});
  for (const auto& [module, cmdline, fails] :
       {Load{.module = "hello", .cmdline = "", .fails = false},
        Load{.module = "hello", .cmdline = "kvm-arm.protected_modules=hello,nosuch", .fails = true},
        Load{.module = "initfail", .cmdline = "", .fails = true},
        Load{.module = "el1fail", .cmdline = "", .fails = true}}) {
    SCOPED_TRACE(fmt::format("{} {}", module, cmdline));
    tool::RunOptions options;
    options.modules = {own(module)};
    options.cmdline = cmdline;
    const auto machine = boot_in_process(options);
    ASSERT_TRUE(machine->write_memory(Pa{firmware_pa + behind_the_image}, rest));
    ASSERT_EQ(machine->run().reason, machine::ExitReason::powered_off);
    const std::span<const std::byte> region = machine->pvmfw_region();
    ASSERT_EQ(region.size(), pkvm::platform::pvmfw_size);
    const auto zeros = std::ranges::count(region, std::byte{0});
    if (fails)
      EXPECT_EQ(zeros, region.size());
    else
      EXPECT_TRUE(std::ranges::equal(region.subspan(behind_the_image), rest));
  }
}

// A module that brings the hypervisor down in its init, or never comes back: the kernel never gets
// to its guests, and the host stays as privileged as it was.
TEST_P(FailedLoads, ThatNeverEndLeadToNoGuest) {
  holds("9.5/none_after_a_fatal_load", id(), HeldOn::machine);
  struct Fatal {
    const char* module;
    int exit_code;
    const char* why;
  };
  for (const auto& [name, exit_code, why] :
       {Fatal{.module = "initfaults", .exit_code = 12, .why = "hyp panic"},
        Fatal{.module = "inithangs", .exit_code = 14, .why = "host not deprivileged"}}) {
    SCOPED_TRACE(name);
    const auto run = run_emulator({own("memory"), own(name), "--pvm", "--budget", "20M"});
    EXPECT_EQ(run.process.exit_code, exit_code) << run.process.out;
    EXPECT_THAT(run.process.out, HasSubstr(fmt::format("protected VMs: NOT available: {}", why)));
    EXPECT_FALSE(run.report.at("deprivileged"));
    EXPECT_THAT(run.report.at("guests"), IsEmpty());
    EXPECT_THAT(run.report.at("protected_vms").at("steps"), IsEmpty());
    EXPECT_THAT(run.console, Not(Contains(HasSubstr("pvmfw: running"))));
  }
  const Arguments faults = {own("memory"), own("initfaults"), "--pvm"};
  run_into_panic_on_both(faults);
}

// A call on the way that fails for its own reasons is the reason, whichever it is.
TEST_P(FailedLoads, AreNotNeededForAnAnswerOfNo) {
  struct Fault {
    const char* site;
    const char* why;
  };
  for (const auto& [site, why] :
       {Fault{.site = "vm.create", .why = "create -12 (ENOMEM)"},
        Fault{.site = "vm.set_firmware", .why = "set firmware -22 (EINVAL)"},
        Fault{.site = "vm.hvc.init_vm", .why = "run -12 (ENOMEM)"},
        Fault{.site = "vm.hvc.init_vcpu", .why = "run -12 (ENOMEM)"},
        Fault{.site = "vm.hvc.map", .why = "run -12 (ENOMEM)"}}) {
    const auto run = run_emulator({own("hello"), "--fail", site});
    const auto& vms = run.report.at("protected_vms");
    EXPECT_EQ(vms.at("state"), "not-available") << site;
    EXPECT_THAT(vms.at("reason").get<std::string>(),
                testing::AllOf(HasSubstr(why), testing::EndsWith(": no pvmfw reported in")));
  }
}

}  // namespace
}  // namespace pkvmemu::test
