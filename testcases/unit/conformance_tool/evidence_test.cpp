// SPDX-License-Identifier: GPL-2.0-only
#include "evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "harness/emulator.h"
#include "support/file.h"

namespace pkvmemu::conformance {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view one_test = R"({"program": "test_x", "test": "A.B", "passed": true,
                                          "holds": ["3.2/first@android15-6.6+qemu"]})";

/// A build folder with one program and what one of its tests left.
class Build {
 public:
  Build() {
    std::filesystem::create_directories(evidence());
    std::filesystem::create_directories(programs());
    EXPECT_TRUE(write_file(programs() / "test_x", std::string_view("program")));
    EXPECT_TRUE(write_file(file(), one_test));
  }
  [[nodiscard]] std::filesystem::path evidence() const { return folder_.path() / "conformance"; }
  [[nodiscard]] std::filesystem::path programs() const { return folder_.path() / "tests"; }
  [[nodiscard]] std::filesystem::path file() const { return evidence() / "A.B.json"; }
  [[nodiscard]] Result<std::vector<Evidence>> read() const {
    return read_evidence(evidence(), programs());
  }

 private:
  test::ScratchDirectory folder_;
};

// A claim names row, generation, and whether QEMU saw it, too.
TEST(EvidenceFiles, SayWhatATestHeld) {
  const Build build;
  const auto evidence = build.read();
  ASSERT_TRUE(evidence) << evidence.error().message;
  ASSERT_THAT(*evidence, SizeIs(1));
  EXPECT_TRUE(evidence->front().passed);
  ASSERT_THAT(evidence->front().claims, SizeIs(1));
  const Claim& claim = evidence->front().claims.front();
  EXPECT_EQ(claim.row, "3.2/first");
  EXPECT_EQ(claim.generation, pkvm::Generation::android15_6_6);
  EXPECT_TRUE(claim.on_qemu);
}

// What a program said before it was built anew counts no more, nor what is left of a program that
// does not exist any longer.
TEST(EvidenceFiles, AreForgottenWhenTheProgramIsNewer) {
  const Build build;
  const auto now = std::filesystem::last_write_time(build.file());
  std::filesystem::last_write_time(build.programs() / "test_x", now + std::chrono::seconds(1));
  EXPECT_THAT(build.read().value(), IsEmpty());
  std::filesystem::remove(build.programs() / "test_x");
  EXPECT_THAT(build.read().value(), IsEmpty());
}

// Bad twins: what is not a claim is an error, not nothing.
TEST(EvidenceFiles, GarbledOnesAreErrors) {
  for (const std::string_view text : {"3.2/first", "3.2/first@6.6", "3.2/first+qemu", ""})
    EXPECT_FALSE(parse_claim(text)) << text;
  const Build build;
  EXPECT_TRUE(write_file(build.file(), one_test.substr(0, 20)));
  const auto evidence = build.read();
  ASSERT_FALSE(evidence);
  EXPECT_THAT(evidence.error().message, HasSubstr("A.B.json"));
}

}  // namespace
}  // namespace pkvmemu::conformance
