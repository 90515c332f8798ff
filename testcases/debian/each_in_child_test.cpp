// SPDX-License-Identifier: GPL-2.0-only
// The crew that the other tests rest on notices what it is there to notice.
#include "each_in_child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <stdexcept>

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<fs::path> names(std::size_t count) {
  std::vector<fs::path> all;
  for (std::size_t i = 0; i < count; ++i)
    all.emplace_back("m" + std::to_string(i) + ".ko");
  return all;
}

// Files without a complaint leave none, and every file is worked on.
TEST(EachInChild, EveryFileIsWorkedOn) {
  const auto files = names(50);
  EXPECT_THAT(each_in_child(files, [](const fs::path&) { return Complaints{}; }), IsEmpty());
  EXPECT_EQ(each_in_child(files, [](const fs::path&) { return Complaints{"seen"}; }).size(), 50U);
}

// A complaint, an exception, a crash and a hang are each told with the file's name, and the files
// after it are worked on all the same.
TEST(EachInChild, EveryKindOfFailureIsTold) {
  const auto work = [](const fs::path& path) -> Complaints {
    if (path == "m1.ko") return {"bad"};
    if (path == "m2.ko") throw std::runtime_error("thrown");
    if (path == "m3.ko") (void)raise(SIGKILL);
    if (path == "m4.ko")
      for (;;)
        (void)pause();
    if (path == "m5.ko") _exit(9);
    return {};
  };
  EXPECT_THAT(each_in_child(names(40), work, std::chrono::seconds(1)),
              ElementsAre("m1.ko: bad", "m2.ko: threw: thrown", HasSubstr("m3.ko: crashed: "),
                          "m4.ko: did not end in 1 s", "m5.ko: ended with 9"));
}

// No file at all is no work.
TEST(EachInChild, NoFilesNoWork) {
  EXPECT_THAT(each_in_child({}, [](const fs::path&) { return Complaints{"?"}; }), IsEmpty());
}

}  // namespace
}  // namespace pkvmemu::test
