// SPDX-License-Identifier: GPL-2.0-only
// What the hypervisor answers to a protected guest's own calls: SMCCC and PSCI (Arm DEN 0028,
// DEN 0022), KVM's vendor services, memory (pkvm-abi.md 7.6) and the MMIO guard; the same on our
// machine and under QEMU.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

// x0 of every call, in the order in which the program makes them.
struct Answer {
  std::string_view call;
  std::int64_t x0;
};
constexpr std::int64_t version_1_1 = 0x1'0001;
constexpr std::int64_t page = 0x1000;
constexpr std::int64_t not_supported = -1;
constexpr std::int64_t psci_invalid = -2;
constexpr std::int64_t already_on = -4;
constexpr std::int64_t invalid = -3;
constexpr auto answers = std::to_array<Answer>({
    {"SMCCC_VERSION", version_1_1},
    {"ARCH_FEATURES of VERSION", 0},
    {"ARCH_FEATURES of a vendor's", not_supported},
    {"VENDOR_UID", 0xB66F'B428},
    {"VENDOR_FEATURES", 0x3FD},
    {"unknown vendor call", not_supported},
    {"unknown standard call", not_supported},
    {"PSCI_VERSION", version_1_1},
    {"FEATURES of CPU_ON32", 0},
    {"FEATURES of CPU_ON64", 0},
    {"FEATURES of CPU_OFF", 0},
    {"FEATURES of AFFINITY_INFO32", 0},
    {"FEATURES of AFFINITY_INFO64", 0},
    {"FEATURES of SYSTEM_OFF", 0},
    {"FEATURES of SYSTEM_RESET", 0},
    {"FEATURES of SYSTEM_RESET2", 0},
    {"FEATURES of SMCCC_VERSION", 0},
    {"FEATURES of VENDOR_UID", not_supported},
    {"FEATURES of SYSTEM_SUSPEND64", not_supported},
    {"AFFINITY_INFO of vCPU 0", 0},
    {"AFFINITY_INFO of vCPU 1", 1},
    {"AFFINITY_INFO of vCPU 2", psci_invalid},
    {"AFFINITY_INFO of level 1", 0},
    {"AFFINITY_INFO of another group", psci_invalid},
    {"AFFINITY_INFO of level 4", psci_invalid},
    {"AFFINITY_INFO64 of 1 << 32", psci_invalid},
    {"AFFINITY_INFO32 of 1 << 32", 0},
    {"CPU_ON64 of itself", already_on},
    {"CPU_ON64 of vCPU 2", psci_invalid},
    {"CPU_ON32 of vCPU 2", psci_invalid},
    {"CPU_ON32 of vCPU 1", 0},
    {"CPU_ON32 again", already_on},
    {"AFFINITY_INFO32 of vCPU 1", 0},
    {"MEM_INFO", page},
    {"MEM_INFO of 1", invalid},
    {"SHARE unaligned", invalid},
    {"SHARE of two", invalid},
    {"SHARE with x3", invalid},
    {"SHARE beyond all", invalid},
    {"SHARE", 0},
    {"SHARE again", invalid},
    {"RELINQUISH of a shared page", invalid},
    {"UNSHARE", 0},
    {"UNSHARE again", invalid},
    {"RELINQUISH unaligned", invalid},
    {"RELINQUISH", 0},
    {"RELINQUISH again", 0},
    {"RELINQUISH of an untouched page", 0},
    {"UNSHARE of an untouched page", invalid},
    {"SHARE of an untouched page", 0},
    {"UNSHARE of it", 0},
    {"GUARD_INFO", page},
    {"GUARD_INFO with x3", invalid},
    {"GUARD_ENROLL", 0},
    {"GUARD_MAP", 0},
    {"GUARD_MAP again", 0},
    {"GUARD_MAP unaligned", invalid},
    {"GUARD_MAP of memory", invalid},
    {"SHARE of a device", invalid},
    {"GUARD_UNMAP", 0},
    {"GUARD_UNMAP again", invalid},
});

class GuestAnswers : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static void holds(std::string_view row) { test::holds(row, GetParam().id); }
  /// Ours; the same under QEMU has to print the same console.
  static EmulatorRun run_on_both(std::string_view guest) {
    const Arguments arguments{std::string(guest), "--cmdline",
                              fmt::format("pkvmemu.generation={}", GetParam().kmi)};
    auto run = run_emulator(arguments);
    EXPECT_EQ(run_qemu(arguments), run.console) << "the second one is ours";
    return run;
  }
  static std::vector<std::string> lines_of(const EmulatorRun& run) {
    return run.report.at("guests").at(0).at("console").get<std::vector<std::string>>();
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, GuestAnswers, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

/// "NAME: x0" of each line that shows four registers.
std::vector<std::string> calls_in(const std::vector<std::string>& lines) {
  std::vector<std::string> calls;
  for (const std::string& line : lines) {
    const auto colon = line.find(": 0x");
    if (colon != std::string::npos) calls.push_back(line.substr(0, line.find(' ', colon + 2)));
  }
  return calls;
}

// Each call has its answer, on every generation, and the guest's last one ends the VM, which gives
// back all pages but the one that the guest gave back itself.
TEST_P(GuestAnswers, AreThoseOfTheServices) {
  for (const char* row : {"9/guest_calls.identity", "9/guest_calls.psci", "9/guest_calls.memory",
                          "9/guest_calls.mmio_guard"})
    holds(row);
  const auto run = run_on_both("--pvm=answers");
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  const auto lines = lines_of(run);
  std::vector<std::string> expected{"GUARD_MAP at first: 0x0"};
  for (const Answer& answer : answers)
    expected.push_back(
        fmt::format("{}: {:#x}", answer.call, static_cast<std::uint64_t>(answer.x0)));
  EXPECT_THAT(calls_in(lines), ElementsAreArray(expected));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("came back"))));
  EXPECT_THAT(run.console, Contains(HasSubstr("pages came back zeroed")));
}

// What is answered in more than x0 is answered in four registers; otherwise x1 to x3 stay as the
// guest had them.
TEST_P(GuestAnswers, OtherRegistersStayUnlessTheyAreTheAnswer) {
  const auto lines = lines_of(run_on_both("--pvm=answers"));
  EXPECT_THAT(lines, IsSupersetOf({
                         "VENDOR_UID: 0xb66fb428 0xe911c52e 0x564bcaa9 0x743a004d",
                         "VENDOR_FEATURES: 0x3fd 0x0 0x0 0x0",
                         "unknown vendor call: 0xffffffffffffffff 0x1 0x2 0x3",
                         "unknown standard call: 0xffffffffffffffff 0x1 0x2 0x3",
                         "AFFINITY_INFO of level 1: 0x0 0x1 0x1 0x0",
                         "SHARE of an untouched page: 0x0 0x800c0000 0x0 0x0",
                     }));
}

// A page that nobody gives cannot be shared: the host ends the call with an abort.
TEST_P(GuestAnswers, AShareOfWhatNobodyGivesIsAborted) {
  EXPECT_THAT(lines_of(run_on_both("--pvm=answers")),
              Contains("SHARE of what nobody gives: aborted"));
}

// The guard takes no page before the guest has asked for it, as its firmware does.
TEST_P(GuestAnswers, TheGuardIsNotThereBeforeItIsAskedFor) {
  EXPECT_THAT(lines_of(run_on_both("--pvm=bare:answers")),
              Contains("GUARD_MAP at first: 0xfffffffffffffffd 0x9000000 0x0 0x0"));
}

}  // namespace
}  // namespace pkvmemu::test
