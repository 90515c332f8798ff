// SPDX-License-Identifier: GPL-2.0-only
// Outputs that cannot be written, or would overwrite what was to be read, and options that do not
// exist: found before anything is done, and nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;

class Outputs : public testing::Test {
 protected:
  Outputs() {
    fs::create_directory(read_only());
    fs::permissions(read_only(), fs::perms::owner_read | fs::perms::owner_exec);
    put(path("el1.c"), text_of(fs::path(PKVMEMU_SAMPLES) / "hello" / "el1.c"));
    put(path("hyp/el2.c"), text_of(fs::path(PKVMEMU_SAMPLES) / "hello" / "hyp" / "el2.c"));
    put(path("hello.ko"), content_of(module("hello")));
    before_ = names_in(scratch_.path());
  }
  ~Outputs() override { fs::permissions(read_only(), fs::perms::owner_all); }

  [[nodiscard]] fs::path path(std::string_view name) const { return scratch_.path() / name; }
  [[nodiscard]] fs::path read_only() const { return path("read-only"); }
  /// Runs without root's powers; afterwards the same files are there.
  void expect_nothing_written(const Arguments& arguments, const Refusal& refusal) const {
    SCOPED_TRACE(testing::PrintToString(arguments));
    expect_refusal(pkvm_emu_without_powers(arguments), refusal);
    EXPECT_EQ(names_in(scratch_.path()), before_);
  }

  /// Places where no file can be written, and why.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> unwritable() const {
    return {{read_only() / "out", "Permission denied"},
            {path("nosuch") / "out", "No such file or directory"},
            {path("hello.ko") / "out", "Not a directory"},
            {scratch_.path(), "irectory"},
            {"", ""}};
  }

  ScratchDirectory scratch_;
  std::vector<std::string> before_;
};

// A report that cannot be written is told before the run: no console, no verdict.
TEST_F(Outputs, OfTheReport) {
  for (const auto& [out, says] : unwritable())
    expect_nothing_written({"run", module("hello"), "--json", out},
                           {.exit_code = out.empty() ? 2 : 3, .parts = {out, says}});
}

// A module that cannot be written is told before it is built.
TEST_F(Outputs, OfABuild) {
  for (const auto& [out, says] : unwritable())
    expect_nothing_written({"build", path("el1.c"), path("hyp/el2.c"), "--name", "m", "-o", out},
                           {.exit_code = out.empty() ? 2 : 3, .parts = {out, says}});
}

// An export that cannot be written leaves no part of its folder.
TEST_F(Outputs, OfAnExport) {
  for (const auto& [out, says] : std::vector<std::pair<std::string, std::string>>{
           {read_only() / "out", "Permission denied"},
           {read_only() / "a" / "b", "Permission denied"},
           {read_only(), "Permission denied"},
           {path("hello.ko"), "irectory"},
           {path("hello.ko") / "out", "irectory"}})
    expect_nothing_written({"run", module("hello"), "--export-qemu", out},
                           {.exit_code = 3, .parts = {out, says}});
}

// A new module that cannot be written leaves no part of its folder.
TEST_F(Outputs, OfANewModule) {
  for (const auto& [out, says] : std::vector<std::pair<std::string, std::string>>{
           {read_only() / "mine", "Permission denied"},
           {path("hello.ko"), "exists already"},
           {path("hello.ko") / "out", "Not a directory"}})
    expect_nothing_written({"new", "mine", out}, {.exit_code = 3, .parts = {says}});
}

// A disk that is full is an error too, and told after the run.
TEST_F(Outputs, FullDisk) {
  const auto run = pkvm_emu({"run", module("hello"), "--json", "/dev/full"});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, testing::HasSubstr("pkvm-emu: /dev/full: cannot write: No space left"));
}

// What is read is not overwritten: a usage error, whatever the path is spelled like.
TEST_F(Outputs, OverAnInput) {
  const std::string hello = path("hello.ko");
  const std::string same = path("hyp/../hello.ko");
  const std::string el1 = path("el1.c");
  const std::string el2 = path("hyp/el2.c");
  fs::create_symlink(hello, path("link"));
  before_ = names_in(scratch_.path());
  const Bytes content = content_of(hello);
  const std::string link = path("link");
  const std::vector<Arguments> rows = {
      {"run", hello, "--json", hello},
      {"run", hello, "--json", same},
      {"run", hello, "--json", link},
      {"run", module("counter"), "--late", hello, "--json", hello},
      {"run", "hello", "--initramfs", hello, "--json", hello},
      {"run", "--firmware", hello, "--json", hello},
      {"build", el1, el2, "-o", el1},
      {"build", el1, el2, "-o", el2},
      {"build", "--el1", el1, "--el2", el2, "-o", path("hyp/../el1.c")},
  };
  for (const Arguments& arguments : rows)
    expect_nothing_written(arguments, {.exit_code = 2, .parts = {"would be overwritten"}});
  EXPECT_EQ(content_of(hello), content);
}

// An export does not overwrite the initramfs that it is made from.
TEST_F(Outputs, ExportOverItsInitramfs) {
  const std::string folder = path("out");
  ASSERT_EQ(pkvm_emu({"run", module("hello"), "--export-qemu", folder}).exit_code, 0);
  before_ = names_in(scratch_.path());
  const std::string initramfs = path("out/initramfs.cpio");
  const Bytes content = content_of(initramfs);
  expect_nothing_written(
      {"run", "hello", "--initramfs", initramfs, "--hvc", "1", "--export-qemu", folder},
      {.exit_code = 2, .parts = {initramfs, "would be overwritten"}});
  expect_nothing_written(
      {"run", module("hello"), "--firmware", path("out/Image"), "--export-qemu", folder},
      {.exit_code = 2, .parts = {"Image", "would be overwritten"}});
  EXPECT_EQ(content_of(initramfs), content);
}

// A file that is there is replaced at once, or stays as it was: never half written.
TEST_F(Outputs, AnOldReportIsReplaced) {
  put(path("report.json"), "old");
  fs::permissions(path("report.json"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("report.json", path("link.json"));
  EXPECT_EQ(pkvm_emu({"run", module("hello"), "--json", path("link.json")}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(path("link.json")));
  EXPECT_EQ(text_of(path("report.json")).front(), '{');
  EXPECT_EQ(fs::status(path("report.json")).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

// Options and arguments that do not exist: 2, with the place of help.
TEST_F(Outputs, UnknownOptions) {
  const std::vector<Arguments> rows = {
      {"run", module("hello"), "--nosuch"},
      {"run", module("hello"), "-x"},
      {"run", module("hello"), "--json"},
      {"run", module("hello"), "--no-iommu=yes=no"},
      {"run", module("hello"), "--budget", "-5"},
      {"run", module("hello"), "--budget", "99999999999999999999G"},
      {"run", module("hello"), "--unresolved", "maybe"},
      {"run", module("hello"), "--call", ""},
      {"run", module("hello"), "--hvc", "0x1ffffffffffffffff"},
      {"inspect", "--nosuch", module("hello")},
      {"inspect", module("hello"), module("counter")},
      {"inspect"},
      {"build", "--nosuch", path("el1.c")},
      {"build", "--kmi", "android99-9.9", path("el1.c")},
      {"build", "--cfi", "maybe", path("el1.c")},
      {"build", "--name", "a b", path("el1.c")},
      {"build"},
      {"new"},
      {"new", "a b"},
      {"new", "mine", path("mine"), "more"},
      {"--nosuch"},
      {""},
      {},
  };
  for (const Arguments& arguments : rows)
    expect_nothing_written(arguments, {.exit_code = 2, .parts = {}});
}

}  // namespace
}  // namespace pkvmemu::test
