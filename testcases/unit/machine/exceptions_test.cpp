// SPDX-License-Identifier: GPL-2.0-only
// Every exception that guests/exceptions.S provokes, on our machine and under QEMU, line by line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "guest_image.h"
#include "machine/machine.h"

namespace pkvmemu::machine {
namespace {

struct KnownDifference {
  std::string_view line;  ///< what stands before the colon
  std::string_view ours;  ///< what our line contains; empty: we do not print it
  std::string_view qemu;
  std::string_view reason;
};

constexpr std::array known_differences{
    KnownDifference{"el1 fp", "", "ESR 000000001fe00000",
                    "the engine never traps FP and SIMD (CPACR_EL1.FPEN, CPTR_EL2.TFP)"},
    KnownDifference{"both: table far from stage 2", "ESR 0000000092000085", "ESR 0000000092000086",
                    "Arm ARM: the level of a stage-2 fault is that of the stage-2 lookup, on a "
                    "stage-1 table too; QEMU reports the level of the stage-1 lookup"},
};

std::map<std::string, std::string> by_name(const std::vector<std::string>& lines) {
  std::map<std::string, std::string> result;
  // The same cases run under several translations: the count tells them apart.
  std::map<std::string, int> seen;
  for (const std::string& line : lines) {
    const std::string name = line.substr(0, line.find(": E"));
    const int number = ++seen[name];
    result[number == 1 ? name : fmt::format("{} #{}", name, number)] = line;
  }
  return result;
}

const KnownDifference* known_difference(const std::string& name) {
  const auto* row = std::ranges::find(known_differences, name, &KnownDifference::line);
  return row == known_differences.end() ? nullptr : row;
}

std::string line_or_none(const std::map<std::string, std::string>& lines, const std::string& name) {
  const auto found = lines.find(name);
  return found == lines.end() ? std::string() : found->second;
}

// ESR, FAR, HPFAR, ELR, SPSR and the stack pointers of every exception equal QEMU's, but for the
// rows of the table, which differ just as it says.
TEST(Exceptions, AgreeWithQemuLineByLine) {
  const Bytes image = testing::guest("exceptions");
  auto machine = Machine::create({.kernel = image, .event_port = false});
  ASSERT_TRUE(machine) << machine.error().message;
  const Exit exit = (*machine)->run();
  ASSERT_EQ(name_of(exit.reason), "powered-off") << exit.detail << (*machine)->console();

  const auto ours = by_name(testing::lines_of((*machine)->console()));
  const auto qemu = by_name(testing::lines_of(testing::run_under_qemu("exceptions")));
  ASSERT_GT(qemu.size(), 150U);
  std::size_t differences = 0;
  for (const auto& [name, theirs] : qemu) {
    const std::string mine = line_or_none(ours, name);
    const KnownDifference* row = known_difference(name);
    if (row == nullptr) {
      EXPECT_EQ(mine, theirs);
      continue;
    }
    ++differences;
    EXPECT_THAT(theirs, ::testing::HasSubstr(std::string(row->qemu))) << row->reason;
    EXPECT_THAT(mine, ::testing::HasSubstr(std::string(row->ours))) << row->reason;
    EXPECT_EQ(mine.empty(), row->ours.empty()) << row->reason;
  }
  EXPECT_EQ(differences, known_differences.size()) << "a row of the table matches no line";
  for (const auto& [name, mine] : ours)
    EXPECT_TRUE(qemu.contains(name)) << "only on our machine: " << mine;
}

}  // namespace
}  // namespace pkvmemu::machine
