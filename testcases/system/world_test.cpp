// SPDX-License-Identifier: GPL-2.0-only
// Scripted devices and answers of EL3 through the whole tool: what is refused, what is told, what
// faults of plans do there, and that snapshots hold it all.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "harness/emulator.h"
#include "harness/in_process.h"
#include "machine/machine.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view device_text = R"(log: true
registers:
  - {name: COUNT, offset: 0, reads: [1, 2, 3], then: repeat}
  - {name: STATUS, offset: 4, reset: 1, until: {reads: 2, value: 0}}
)";
constexpr std::string_view secure_text = R"(calls:
  - {name: next, id: 0xc2000001, answers: [[0, 1], [0, 2], [0, 3]]}
)";

class World : public testing::Test {
 protected:
  std::string file(std::string_view name, std::string_view text) const {
    const std::string path = (scratch_.path() / name).string();
    EXPECT_TRUE(write_file(path, text));
    return path;
  }
  std::string device() const { return "0x10000000:0x1000=" + file("device.yaml", device_text); }
  std::string secure() const { return file("secure.yaml", secure_text); }

 private:
  ScratchDirectory scratch_;
};

// The report tells of every register, and of functions that nobody answers; the log is in it.
TEST_F(World, IsInTheReport) {
  const EmulatorRun run =
      run_emulator({"--no-pvm", "--mmio", device(), "--el3", secure(), "--touch", "r:0x10000000",
                    "--touch", "w:0x10000040=7", "--smc", "0xc2000001", "--smc", "0xc2000009:5"});
  EXPECT_EQ(run.process.exit_code, 0);
  const auto& region = run.report.at("mmio").at(0);
  EXPECT_EQ(region.at("base"), "0x10000000");
  EXPECT_EQ(region.at("name"), "device");
  const auto& registers = region.at("registers");
  ASSERT_EQ(registers.size(), 3U);
  EXPECT_EQ(registers.at(0).at("name"), "COUNT");
  EXPECT_EQ(registers.at(0).at("reads"), 1);
  EXPECT_EQ(registers.at(0).at("last_read"), "0x1");
  EXPECT_EQ(registers.at(1).at("reads"), 0);
  EXPECT_EQ(registers.at(2).at("offset"), "0x40");
  EXPECT_EQ(registers.at(2).at("scripted"), false);
  EXPECT_EQ(registers.at(2).at("last_written"), "0x7");
  EXPECT_THAT(run.report.at("device_log").dump(), HasSubstr("COUNT: read 0x1, 32 bits, EL1"));
  const auto& secure_calls = run.report.at("el3");
  ASSERT_GE(secure_calls.size(), 2U);
  const auto find = [&](std::string_view function) {
    for (const auto& use : secure_calls)
      if (use.at("function") == function) return use;
    return nlohmann::json();
  };
  EXPECT_EQ(find("0xc2000001").at("scripted"), true);
  EXPECT_EQ(find("0xc2000001").at("last_answer").at(1), "0x1");
  EXPECT_EQ(find("0xc2000009").at("unanswered"), 1);
  EXPECT_THAT(run.process.out, HasSubstr("el3 0xc2000009: 1 call, answered by nobody"));
}

// A run that has no world says nothing of one.
TEST_F(World, IsSilentWithoutOne) {
  const EmulatorRun run = run_emulator({"--no-pvm", "--touch", "r:0x50000000"});
  EXPECT_TRUE(run.report.at("mmio").empty());
  EXPECT_THAT(run.process.out, Not(HasSubstr("mmio")));
  EXPECT_THAT(run.process.out, Not(HasSubstr("el3")));
}

struct Refused {
  std::string_view region;
  int exit_code;
  std::string_view words;
};

// A region that cannot be is refused before anything starts, with what is in its way.
TEST_F(World, RegionsThatCannotBeAreRefused) {
  constexpr auto cases = std::to_array<Refused>({
      {"0x10000000=ram", 2, "expected BASE:SIZE=ram"},
      {"0x10000000:0x1000=", 2, "expected BASE:SIZE=ram"},
      {"0x10000000:0x1000=nosuch.yaml", 3, "nosuch.yaml"},
      {"0x10000800:0x1000=ram", 3, "multiples of the page size"},
      {"0x10000000:0x10=ram", 3, "multiples of the page size"},
      {"0x10000000:0=ram", 3, "multiples of the page size"},
      {"0x10000000:0x20000000=ram", 3,
       "pkvm-emu: --mmio: device at 0x10000000 of 0x20000000 bytes: at most"},
      {"0xfffffffffffff000:0x1000=ram", 3, "48 bits"},
      {"0x3ffff000:0x2000=zero", 3,
       "pkvm-emu: --mmio: device zero (0x3ffff000 to 0x40001000) overlaps RAM"},
      {"0x09000000:0x1000=zero", 3, "overlaps PL011"},
      {"0x0b000000:0x1000=zero", 3, "overlaps event port"},
  });
  for (const Refused& one : cases) {
    const EmulatorRun run = run_emulator({"--mmio", std::string(one.region)});
    EXPECT_EQ(run.process.exit_code, one.exit_code) << one.region;
    EXPECT_THAT(run.process.err, HasSubstr(std::string(one.words))) << one.region;
  }
  const EmulatorRun twice =
      run_emulator({"--mmio", "0x10000000:0x2000=ram", "--mmio", "0x10001000:0x1000=zero"});
  EXPECT_EQ(twice.process.exit_code, 3);
  EXPECT_THAT(twice.process.err, HasSubstr("overlaps device ram"));
}

// QEMU has neither, and is not asked to.
TEST_F(World, IsNotForQemu) {
  for (const Arguments& arguments : {Arguments{"--mmio", device(), "--export-qemu", "out"},
                                     Arguments{"--el3", secure(), "--export-qemu", "out"}}) {
    const EmulatorRun run = run_emulator(arguments);
    EXPECT_EQ(run.process.exit_code, 2);
    EXPECT_THAT(run.process.err, HasSubstr("QEMU"));
  }
}

// A plan changes what a register of a scripted device answers, and the report tells what the guest
// got; a place where no device is is refused.
TEST_F(World, FaultsReachScriptedDevices) {
  const std::string plan =
      file("plan.yaml", "faults:\n  - {mmio: 0x10000000, nth: 2, answer: 0x55}\n");
  const Arguments touches = {"--no-pvm", "--touch",      "r:0x10000000", "--touch", "r:0x10000000",
                             "--touch",  "r:0x10000000", "--plan",       plan};
  Arguments good = touches;
  good.insert(good.end(), {"--mmio", device()});
  const EmulatorRun run = run_emulator(good);
  EXPECT_EQ(run.process.exit_code, 0);
  EXPECT_EQ(run.report.at("touches").at(0).at("value"), "0x1");
  EXPECT_EQ(run.report.at("touches").at(1).at("value"), "0x55");
  EXPECT_EQ(run.report.at("touches").at(2).at("value"), "0x3");
  EXPECT_THAT(run.report.at("device_log").dump(), HasSubstr("read 0x55"));
  const EmulatorRun nowhere = run_emulator(touches);
  EXPECT_EQ(nowhere.process.exit_code, 3);
  EXPECT_THAT(nowhere.process.err, HasSubstr("no device answers at 0x10000000"));
}

std::string text_of(const device::WorldUse& use) {
  std::string text;
  for (const device::RegionUse& region : use.regions)
    for (const device::RegisterUse& reg : region.registers)
      text +=
          fmt::format("{:#x}+{:#x}: {} {} {:#x} {:#x}\n", region.base.value, reg.offset, reg.reads,
                      reg.writes, reg.last_read.value_or(0), reg.last_written.value_or(0));
  for (const device::SecureUse& secure : use.secure_calls)
    text += fmt::format("{:#x}: {} {} {:#x}\n", secure.function, secure.calls, secure.unanswered,
                        fmt::join(secure.last_answer, " "));
  for (const std::string& line : use.log)
    text += line + "\n";
  return text;
}

// A run that goes on from a snapshot, taken anywhere, meets the devices and EL3 as they were then.
TEST_F(World, SnapshotsHoldIt) {
  tool::RunOptions options;
  options.no_pvm = true;
  options.mmio = {device(), "0x20000000:0x1000=ram"};
  options.el3 = secure();
  for (int i = 0; i < 4; ++i) {
    for (const char* text : {"r:0x10000000", "r:0x10000004", "r:0x20000008"})
      options.wishes.push_back(*tool::parse_touch(text));
    options.wishes.push_back(*tool::parse_touch(fmt::format("w:0x20000008={}", i + 1)));
    options.wishes.push_back(*tool::parse_smc("0xc2000001"));
  }
  const auto straight = boot_in_process(options);
  straight->run();
  const std::string wanted = text_of(straight->world_use());
  EXPECT_THAT(straight->console(), HasSubstr("touch r:0x20000008: 0x3\n"));

  constexpr unsigned seed = 20;
  std::mt19937_64 random(seed);  // NOLINT(cert-msc51-cpp): the same run each time
  const auto machine = boot_in_process(options);
  for (int round = 0; round < 3; ++round) {
    const auto start = machine->take_snapshot();
    ASSERT_TRUE(start);
    // The wishes are at the end.
    const std::uint64_t total = straight->instructions();
    const std::uint64_t at = total - 1 - random() % (total / 4);
    machine->run_until({.instructions = at, .place = {}});
    const auto snapshot = machine->take_snapshot();
    ASSERT_TRUE(snapshot);
    for (int turn = 0; turn < 2; ++turn) {
      machine->run();
      EXPECT_EQ(text_of(machine->world_use()), wanted) << "seed " << seed << ", at " << at;
      EXPECT_EQ(machine->console(), straight->console()) << "seed " << seed << ", at " << at;
      ASSERT_TRUE(machine->restore(*snapshot));
    }
    ASSERT_TRUE(machine->restore(*start));
  }
}

}  // namespace
}  // namespace pkvmemu::test
