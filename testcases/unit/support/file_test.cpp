// SPDX-License-Identifier: GPL-2.0-only
#include "support/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace pkvmemu {
namespace {

using testing::HasSubstr;

std::filesystem::path scratch(std::string_view name) {
  return std::filesystem::path(testing::TempDir()) / fmt::format("pkvmemu-{}-{}", getpid(), name);
}

// What was written comes back byte for byte, zeros included.
TEST(File, RoundTripKeepsEveryByte) {
  const auto path = scratch("round-trip");
  const std::string_view text("a\0b\n", 4);
  ASSERT_TRUE(write_file(path, text));
  const auto data = read_file(path);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->size(), 4U);
  EXPECT_EQ((*data)[1], std::byte{0});
  std::filesystem::remove(path);
}

// A missing file is an error that names the file and the reason.
TEST(File, MissingFileIsNamed) {
  const auto data = read_file("/nonexistent/module.ko");
  ASSERT_FALSE(data);
  EXPECT_THAT(data.error().message, HasSubstr("/nonexistent/module.ko"));
  EXPECT_THAT(data.error().message, HasSubstr("No such file"));
}

// A directory in place of a file is refused with words, not read as an empty file.
TEST(File, DirectoryIsRefused) {
  const auto data = read_file("/tmp");
  ASSERT_FALSE(data);
  EXPECT_THAT(data.error().message, HasSubstr("is a directory"));
}

// A write that fails half way leaves no file.
TEST(File, AFailedWriteLeavesNothing) {
  const auto path = scratch("half");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto written = write_file(path, std::string(100'000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, previous);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("half: cannot write: File too large"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

// What is no file of ours stays: a device that is full.
TEST(File, AFullDeviceStays) {
  const auto written = write_file("/dev/full", std::string(100'000, 'x'));
  ASSERT_FALSE(written);
  EXPECT_TRUE(std::filesystem::exists("/dev/full"));
}

// A file that is mostly hole is refused by its size, at once and in words.
TEST(File, AHugeSparseFileIsRefused) {
  const auto path = scratch("sparse");
  ASSERT_TRUE(write_file(path, std::string_view("x")));
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40U);
  const auto data = read_file(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(data);
  EXPECT_THAT(data.error().message, HasSubstr("larger than 512 MiB"));
}

}  // namespace
}  // namespace pkvmemu
