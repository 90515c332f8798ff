// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pkvmemu::tool {
namespace {

using testing::HasSubstr;
using testing::Not;

// Half of the cases are half of the bar, and the time left is that of the rate so far.
TEST(ProgressLine, TellsHowFarItIs) {
  EXPECT_EQ(progress_line(512, 1024, 3, 2),
            "[############............]  512 of 1024  256/s  2 s left  3 findings");
  EXPECT_EQ(progress_line(1024, 1024, 1, 4),
            "[########################]  1024 of 1024  256/s  0 s left  1 finding");
}

// At the very beginning nothing is known, and nothing is divided by.
TEST(ProgressLine, Begins) {
  EXPECT_EQ(progress_line(0, 10, 0, 0),
            "[........................]  0 of 10  0/s  no time known  0 findings");
  EXPECT_THAT(progress_line(0, 10, 0, 5), HasSubstr("no time known"));
}

// Pairs are not known before: no bar, and no time left.
TEST(ProgressLine, WithoutAnEnd) {
  EXPECT_EQ(progress_line(30, 0, 0, 2), "30 cases  15/s  0 findings");
  EXPECT_EQ(progress_line(1, 0, 0, 1), "1 case  1/s  0 findings");
  EXPECT_THAT(progress_line(30, 0, 2, 2), Not(HasSubstr("left")));
}

// More cases than were expected fill the bar, and never more than it.
TEST(ProgressLine, StaysInItsBar) {
  const std::string line = progress_line(20, 10, 0, 1);
  EXPECT_THAT(line, HasSubstr("[########################]"));
  EXPECT_THAT(line, HasSubstr("0 s left"));
}

// Where nothing is shown, nothing is written; cases and findings are counted all the same.
TEST(SweepProgress, IsSilentOffATerminal) {
  testing::internal::CaptureStderr();
  SweepProgress progress(false);
  progress.expect(2);
  progress.add(true);
  progress.show();
  progress.add(false);
  progress.clear();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(progress.cases(), 2U);
}

// On a terminal the line is drawn, and gone at the end.
TEST(SweepProgress, DrawsAndClears) {
  testing::internal::CaptureStderr();
  SweepProgress progress(true);
  progress.expect(2);
  progress.add(true);
  progress.show();
  progress.clear();
  const std::string drawn = testing::internal::GetCapturedStderr();
  EXPECT_THAT(drawn, HasSubstr("1 of 2"));
  EXPECT_THAT(drawn, HasSubstr("1 finding"));
  EXPECT_TRUE(drawn.ends_with("\r\033[K")) << drawn;
}

}  // namespace
}  // namespace pkvmemu::tool
