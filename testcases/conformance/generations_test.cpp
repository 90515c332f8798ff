// SPDX-License-Identifier: GPL-2.0-only
// What every generation does with the same modules, and where they differ: measured on 6.6 and 6.12
// and specified for 6.1 (testcases/data/conformance/measured.yaml), each on our machine and mostly
// with the same console under QEMU.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "modules/memory/operations.h"
#include "pkvm/generation.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto va48 = "pkvmemu.va_bits=48";
constexpr auto minus_one = "0xffffffffffffffff";

class EveryGeneration : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static Generation id() { return GetParam().id; }
  static std::string own(std::string_view name) {
    return module(fmt::format("{}/{}", GetParam().kmi, name));
  }
  /// Ours; the same files under QEMU have to print the same console.
  static EmulatorRun run_on_both(const Arguments& arguments) {
    auto run = run_emulator(arguments);
    EXPECT_EQ(run_qemu(arguments), run.console) << "the second one is ours";
    return run;
  }
  static std::vector<std::string> registers(const EmulatorRun& run, std::size_t call = 0) {
    return run.report.at("calls").at(call).at("result").get<std::vector<std::string>>();
  }
  static std::string operation(memory_operation number, std::string_view arguments) {
    return fmt::format("memory_hvc:{},{}", static_cast<int>(number), arguments);
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, EveryGeneration, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// The modules' vermagic decides which kernel runs, and where it looks for them.
TEST_P(EveryGeneration, IsChosenByTheModules) {
  holds("measured/generations/of_a_run", id(), HeldOn::machine);
  const auto run = run_emulator({own("hello")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("generation"), GetParam().kmi);
  EXPECT_EQ(run.console.at(0),
            fmt::format("pkvm-emu host kernel {} ({})", GetParam().kernel_release, GetParam().kmi));
}

// Modules inside the user's own archive decide just as well.
TEST_P(EveryGeneration, IsChosenByTheModulesOfAnArchive) {
  holds("measured/generations/of_a_run", id(), HeldOn::machine);
  const ScratchDirectory scratch;
  const std::string folder = scratch.path() / "export";
  ASSERT_EQ(run_emulator({own("hello"), "--export-qemu", folder}).process.exit_code, 0);
  const auto run = run_emulator({"--initramfs", folder + "/initramfs.cpio", "hello"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("generation"), GetParam().kmi);
}

// Load, then register: 128 for the first handler, 129 for the next module's.
TEST_P(EveryGeneration, FirstHandlersAre128And129) {
  holds("measured/loading/first_handler", id());
  holds("measured/loading/second_handler", id());
  holds("measured/generations/data_keeps_state", id());
  const auto run = run_on_both({own("hello"), own("counter"), "--call", "hello_hvc:1,2", "--call",
                                "counter_hvc:0,5", "--call", "counter_hvc:0,7"});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  for (const std::size_t i : {0U, 1U}) {
    const auto& loaded = run.report.at("modules").at(i);
    EXPECT_TRUE(loaded.at("loaded").get<bool>());
    EXPECT_EQ(loaded.at("handlers").at(0).at("id"), 128 + i);
  }
  EXPECT_EQ(registers(run, 0)[1], "0x3");
  EXPECT_EQ(registers(run, 2)[1], "0xc") << "EL2 data keeps its value between calls";
  EXPECT_THAT(run.console, Contains("hello: hello from EL2"));
  EXPECT_TRUE(run.report.at("protected_vms").at("available").get<bool>());
}

// Where the first module lies. 6.1 has neither block slot nor heap window before
// its modules, and aligns each allocation to its order (pkvm-abi.md 1.6, 7.1): behind a stack of
// two pages and the fixmap's page, 16 KiB and more of calls.ko start at 0x4000.
TEST_P(EveryGeneration, FirstModuleLiesWhereItsKernelPutsIt) {
  holds("measured/loading/first_module_va", id(), HeldOn::machine);
  const auto run = run_emulator({own("calls"), "--cmdline", va48});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  const std::string va = run.report.at("modules").at(0).at("hyp_va");
  if (id() != Generation::android14_6_1) {
    EXPECT_EQ(va, "0x400008400000");
    return;
  }
  const std::uint64_t address = std::stoull(va, nullptr, 16);
  EXPECT_GE(address, 0x4000'0000'3000U);
  EXPECT_LT(address, 0x4000'0001'0000U);
}

// Hyp linear VA of a PA, and hyp_pa leads back.
TEST_P(EveryGeneration, LinearMapIsWhereARealKernelPutsIt) {
  holds("measured/loading/linear_va", id(), HeldOn::machine);
  const auto run =
      run_emulator({own("memory"), "--cmdline", va48, "--call", operation(MEMORY_LINEAR, "0x40a48"),
                    "--call", operation(MEMORY_LINEAR, "0x40a81")});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(registers(run, 0)[1], "0x800000a48000");
  EXPECT_EQ(registers(run, 0)[2], "0x40a48000");
  EXPECT_EQ(registers(run, 1)[1], "0x800000a81000");
  EXPECT_EQ(registers(run, 1)[2], "0x40a81000");
}

// 128 handlers fit, the next one answers -12.
TEST_P(EveryGeneration, The129thHandlerIsRefused) {
  holds("measured/loading/handlers_full", id(), HeldOn::machine);
  const auto run = run_emulator({own("manyhandlers")});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("modules").at(0).at("handlers").size(), 128U);
  EXPECT_EQ(run.report.at("modules").at(0).at("handlers").back().at("id"), 255);
  EXPECT_THAT(run.console, Contains(HasSubstr("128 registered, last 255, then -12")));
}

// Documented: init's -12 is an error, everything is the host's again, and the
// report names the defect that a phone would have shown.
TEST_P(EveryGeneration, FailingInitIsAnErrorAndNamesTheDefect) {
  holds("measured/loading/init_fails_documented", id());
  const auto run = run_on_both({own("initfail")});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("Failed to init EL2 module: -12"));
  EXPECT_THAT(lines_with(run.console, "panic"), IsEmpty());
  const auto& failed = run.report.at("modules").at(0);
  EXPECT_EQ(failed.at("error"), -12);
  EXPECT_EQ(failed.at("step"), "init-module");
  EXPECT_TRUE(run.report.at("deprivileged").get<bool>());
  EXPECT_FALSE(run.report.at("protected_vms").at("available").get<bool>());
  ASSERT_EQ(run.report.at("defects").size(), 1U);
  EXPECT_EQ(run.report.at("defects").at(0).at("name"), "failed-load-unmaps-wrong-address");
  EXPECT_FALSE(run.report.at("defects").at(0).at("reproduced").get<bool>());
  EXPECT_THAT(run.process.out, HasSubstr("--as-shipped shows it"));
}

// As measured: the clean-up unmaps wrong addresses, the hypervisor dies of
// brk #0x800, and the host with it.
TEST_P(EveryGeneration, FailingInitAsShippedIsAHypPanic) {
  holds("measured/loading/init_fails_as_shipped", id());
  holds("3.4/defect", id());
  const auto run = run_on_both({own("initfail"), "--as-shipped"});
  EXPECT_EQ(run.process.exit_code, 12) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("Failed to init EL2 module: -12"));
  EXPECT_THAT(run.console, Contains(HasSubstr("nVHE hyp BUG at")));
  EXPECT_THAT(run.console, Contains(HasSubstr("HYP panic:")));
  EXPECT_EQ(run.report.at("hyp_panic").at("esr"), "0xf2000800");
  EXPECT_TRUE(run.report.at("defects").at(0).at("reproduced").get<bool>());
  EXPECT_FALSE(run.report.at("deprivileged").get<bool>());
}

// The defects concern failing loads alone: others go as usual with --as-shipped.
TEST_P(EveryGeneration, GoodLoadsAsShippedAreGood) {
  holds("measured/generations/good_loads_as_shipped", id(), HeldOn::machine);
  const auto run = run_emulator({own("hello"), "--as-shipped", "--call", "hello_hvc:1,2"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("defects").size(), 0U);
}

// Once the host is deprivileged a load answers -95 and nothing else happens.
TEST_P(EveryGeneration, LateLoadIsRefused) {
  holds("measured/loading/late_load", id());
  const auto run = run_on_both({own("hello"), "--late", own("counter"), "--call", "hello_hvc:1,2"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("late counter: -95"));
  EXPECT_EQ(registers(run)[1], "0x3");
  EXPECT_TRUE(run.report.at("protected_vms").at("available").get<bool>());
}

// The first failure ends the list, firmware is cleared once, boot goes on.
TEST_P(EveryGeneration, MissingModuleEndsTheListAndWipesTheFirmware) {
  holds("measured/loading/missing_module", id());
  const auto run =
      run_on_both({own("hello"), "--cmdline", "kvm-arm.protected_modules=nosuch,hello"});
  EXPECT_EQ(run.process.exit_code, 10) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("Failed to load pkvm module nosuch: 256"));
  EXPECT_THAT(lines_with(run.console, "Clearing pKVM firmware memory"), testing::SizeIs(1));
  EXPECT_THAT(lines_with(run.console, "hello from EL2"), IsEmpty());
  EXPECT_TRUE(run.report.at("deprivileged").get<bool>());
  EXPECT_FALSE(run.report.at("protected_vms").at("available").get<bool>());
}

// No IOMMU driver. From 6.6 on init answers -19; in 6.1 nobody has finalised the
// devices (pkvm-abi.md 6.3), which it does not print. Either way the firmware goes.
TEST_P(EveryGeneration, NoIommuDriverWipesTheFirmware) {
  holds("measured/loading/no_iommu_driver", id());
  const auto run = run_on_both({own("hello"), "--no-iommu"});
  EXPECT_THAT(run.console, Contains("Clearing pKVM firmware memory"));
  const auto printed = lines_with(run.console, "IOMMU");
  if (id() == Generation::android14_6_1)
    EXPECT_THAT(printed, IsEmpty());
  else
    EXPECT_THAT(printed, ElementsAre(HasSubstr("pKVM enabled with no IOMMU driver"),
                                     HasSubstr("error -19")));
  EXPECT_TRUE(run.report.at("modules").at(0).at("loaded").get<bool>());
  EXPECT_TRUE(run.report.at("deprivileged").get<bool>());
  EXPECT_FALSE(run.report.at("protected_vms").at("available").get<bool>());
}

// A module fails and no IOMMU driver is there: who forgets the firmware with the first wipe (6.1,
// 6.12) has nothing to clear the second time; 6.6 clears twice (pkvm-abi.md 6.5).
TEST_P(EveryGeneration, TheSecondWipeFindsWhatTheFirstOneLeft) {
  holds("measured/generations/two_wipes", id());
  const auto run = run_on_both({own("initfail"), "--no-iommu"});
  EXPECT_THAT(lines_with(run.console, "Clearing pKVM firmware memory"),
              testing::SizeIs(GetParam().wipe_keeps_firmware_size ? 2 : 1));
}

// Calls: the measured table, in one run.
TEST_P(EveryGeneration, CallsAnswerAsMeasured) {
  holds("measured/calls/registered", id());
  holds("measured/calls/unregistered", id());
  holds("measured/calls/beyond_tables", id());
  holds("measured/calls/smccc_version", id());
  const auto run = run_on_both({own("calls"), "--call", "128:0x11,0x22,0x33,0x44", "--call",
                                "200:0x11,0x22,0x33,0x44", "--call", "5000:0x11,0x22,0x33,0x44",
                                "--hvc", "0x80000000:0x11,0x22,0x33,0x44"});
  const auto first_four = [&](std::size_t call) {
    auto all = registers(run, call);
    all.resize(4);
    return all;
  };
  EXPECT_THAT(first_four(0), ElementsAre("0x0", "0x66", "0x44", "0xabc"));
  for (const std::size_t call : {1U, 2U, 3U})
    EXPECT_THAT(first_four(call), ElementsAre(minus_one, "0x11", "0x22", "0x33")) << call;
}

// A handler that leaves x0 alone: 6.1's dispatcher has set it to 0 before, the others' callers see
// the function id (pkvm-abi.md 4.3). The handler shows in x1 what it found.
TEST_P(EveryGeneration, X0OfASilentHandler) {
  holds("measured/generations/x0_of_a_silent_handler", id());
  const auto run = run_on_both({own("silent"), "--call", "silent_hvc:7"});
  const std::string expected = GetParam().presets_dynamic_x0 ? "0x0" : "0xc6000080";
  EXPECT_EQ(registers(run)[0], expected);
  EXPECT_EQ(registers(run)[1], expected);
  EXPECT_EQ(run.process.exit_code, GetParam().presets_dynamic_x0 ? 0 : 11);
}

// The load calls have the generation's own numbers, and after deprivilege all below the split are
// refused, the split itself is -EPERM the second time (pkvm-abi.md 5.1).
TEST_P(EveryGeneration, EarlyCallsAreClosed) {
  holds("measured/generations/early_calls_closed", id());
  const unsigned split = GetParam().first_late_call;
  const auto run =
      run_on_both({own("calls"), "--hvc", fmt::format("{:#x}:1", 0xc6000000U + split - 1), "--hvc",
                   fmt::format("{:#x}:1", 0xc6000000U + split)});
  EXPECT_EQ(registers(run, 0)[0], minus_one);
  EXPECT_EQ(registers(run, 1)[0], "0x0");
  EXPECT_EQ(registers(run, 1)[1], minus_one) << "-EPERM";
}

// Pin and unpin: shared pages alone can be pinned, a pinned one cannot be unshared, and what that
// answers is the generation's (pkvm-abi.md 7.6).
TEST_P(EveryGeneration, PinsSharedPages) {
  holds("measured/generations/pin_unpin", id());
  constexpr auto page = "0x50000";
  Arguments arguments{own("memory")};
  for (const memory_operation step : {MEMORY_PIN, MEMORY_SHARE, MEMORY_PIN, MEMORY_UNSHARE,
                                      MEMORY_UNPIN, MEMORY_UNSHARE, MEMORY_UNSHARE})
    arguments.insert(arguments.end(), {"--call", operation(step, page)});
  const auto run = run_on_both(arguments);
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  constexpr std::array<int, 3> refusals = {-16, -22, -16};
  const int pinned = refusals[static_cast<std::size_t>(id())];
  const std::array expected = {-1, 0, 0, pinned, 0, 0, -1};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(static_cast<int>(std::stoull(registers(run, i)[1], nullptr, 16)), expected[i]) << i;
}

// Donation has the generation's arguments: 6.1's op has no accept_mmio and takes MMIO always.
TEST_P(EveryGeneration, DonatesMemoryAndMmio) {
  holds("measured/generations/donation", id());
  const auto run = run_on_both({own("memory"), "--call", operation(MEMORY_DONATE, "0x50000,2,0"),
                                "--call", operation(MEMORY_WRITE, "0x50001,8,0x1234"), "--call",
                                operation(MEMORY_READ, "0x50001,8"), "--call",
                                operation(MEMORY_RETURN, "0x50000,2"), "--call",
                                operation(MEMORY_DONATE, "0x9010,1,0")});
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(registers(run, 0)[1], "0x0");
  EXPECT_EQ(registers(run, 2)[1], "0x1234");
  EXPECT_EQ(registers(run, 3)[1], "0x0");
  EXPECT_EQ(registers(run, 4)[1], id() == Generation::android14_6_1 ? "0x0" : minus_one);
}

// Private addresses: 6.1 aligns them to the order of their size and ends after 1 GiB; later a page
// follows the other, to the vmemmap (pkvm-abi.md 1.6).
TEST_P(EveryGeneration, PrivateAddressesFollowTheGenerationsRule) {
  holds("measured/generations/private_addresses", id());
  const auto run =
      run_on_both({own("memory"), "--call", operation(MEMORY_TAKE_VA, "1"), "--call",
                   operation(MEMORY_TAKE_VA, "3"), "--call", operation(MEMORY_TAKE_VA, "0x40000")});
  const auto address = [&](std::size_t call) {
    return std::stoull(registers(run, call)[1], nullptr, 16);
  };
  if (id() == Generation::android14_6_1) {
    EXPECT_EQ(address(1) % 0x4000, 0U);
    EXPECT_EQ(address(2), 0U) << "1 GiB has no place";
  } else {
    EXPECT_EQ(address(1), address(0) + 0x1000);
    EXPECT_EQ(address(2), address(1) + 0x3000);
  }
}

// A fault in a handler ends in the same panic record everywhere.
TEST_P(EveryGeneration, AFaultingHandlerIsAHypPanic) {
  holds("measured/panic/handler_store", id());
  if (id() == Generation::android15_6_6) holds("3.2/16", id());
  const auto run = run_on_both({own("faulty"), "--call", "faulty_hvc"});
  EXPECT_EQ(run.process.exit_code, 12) << run.process.out << run.process.err;
  EXPECT_THAT(lines_with(run.console, "nVHE hyp panic at"), Contains(HasSubstr("faulty")));
  EXPECT_THAT(run.console, Contains(HasSubstr("HYP panic:")));
  EXPECT_THAT(run.console, Contains(HasSubstr("ESR:0000000097c98045")));
  EXPECT_THAT(run.console, Contains(HasSubstr("FAR:000000000dead000")));
}

}  // namespace
}  // namespace pkvmemu::test
