// SPDX-License-Identifier: GPL-2.0-only
#include "initramfs.h"

#include <gmock/gmock.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "build/temp_dir.h"
#include "image/cpio.h"
#include "unpack.h"

namespace pkvmemu::tool {
namespace {

using testing::HasSubstr;

constexpr auto baseline = pkvm::Generation::android15_6_6;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// The file's text, "(absent)" when it is not there.
std::string file_in(const Bytes& archive, std::string_view path) {
  const auto entry = image::find_file(archive, path);
  if (!entry || !*entry) return "(absent)";
  const image::ByteView data = (*entry)->data;
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

ModuleFile module(std::string name, std::vector<std::string> depends = {}) {
  return {.path = name + ".ko",
          .name = name,
          .depends = std::move(depends),
          .generation = baseline,
          .fp_code = {},
          .bytes = bytes_of("contents of " + name)};
}

RcLine call(std::string target) {
  RcLine line;
  line.target = std::move(target);
  return line;
}

// Modules lie where a kernel of their release looks, with all their dependencies in modules.dep.
TEST(MakeInitramfs, LaysOutModulesAsDepmodDoes) {
  const std::vector modules = {module("top", {"middle"}), module("middle", {"base"}),
                               module("base"), module("alone", {"not_given"})};
  const auto archive = make_initramfs(baseline, modules, {});
  ASSERT_TRUE(archive);
  EXPECT_EQ(file_in(*archive, "lib/modules/6.6.77/top.ko"), "contents of top");
  EXPECT_EQ(file_in(*archive, "lib/modules/6.6.77/modules.dep"),
            "top.ko: middle.ko base.ko\nmiddle.ko: base.ko\nbase.ko:\nalone.ko:\n");
  EXPECT_EQ(file_in(*archive, "pkvm-emu.rc"), "(absent)");
}

// Modules that need each other do not hang the tool.
TEST(MakeInitramfs, ADependencyCycleEnds) {
  const auto archive =
      make_initramfs(baseline, std::vector{module("a", {"b"}), module("b", {"a"})}, {});
  ASSERT_TRUE(archive);
  EXPECT_THAT(file_in(*archive, "lib/modules/6.6.77/modules.dep"), HasSubstr("a.ko: b.ko"));
}

// The same input makes the same bytes.
TEST(MakeInitramfs, IsReproducible) {
  const std::vector modules = {module("a")};
  const std::vector wishes = {call("f")};
  EXPECT_EQ(*make_initramfs(baseline, modules, wishes), *make_initramfs(baseline, modules, wishes));
  EXPECT_EQ(file_in(*make_initramfs(baseline, modules, wishes), "pkvm-emu.rc"), "call f\n");
}

// A user's archive keeps its files; its own wishes are read, and the merged file counts.
TEST(OpenInitramfs, WishesAreMerged) {
  const auto directory = build::TempDir::create();
  ASSERT_TRUE(directory);
  const std::string path = directory->path() / "own.cpio";
  const std::vector own = {call("first")};
  ASSERT_TRUE(write_file(path, *make_initramfs(baseline, std::vector{module("a")}, own)));

  auto user = open_initramfs(path);
  ASSERT_TRUE(user) << user.error().message;
  EXPECT_EQ(user->wishes, own);
  const auto merged = with_wishes(user->archive, std::vector{own[0], call("second")});
  ASSERT_TRUE(merged);
  EXPECT_EQ(file_in(*merged, "pkvm-emu.rc"), "call first\ncall second\n");
  EXPECT_EQ(file_in(*merged, "lib/modules/6.6.77/a.ko"), "contents of a");
}

// An rc file that cannot be understood is the user's bad file, with its line.
TEST(OpenInitramfs, ABadRcFileIsRefused) {
  const auto directory = build::TempDir::create();
  ASSERT_TRUE(directory);
  const std::string path = directory->path() / "own.cpio";
  ASSERT_TRUE(write_file(path, *make_initramfs(baseline, {}, std::vector{call("not valid")})));
  const auto user = open_initramfs(path);
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().code, observe::ExitCode::bad_file);
  EXPECT_THAT(user.error().message, HasSubstr("pkvm-emu.rc:1: "));
}

// What is neither newc nor a compression of it is refused with what was expected.
TEST(UnpackInitramfs, OtherFilesAreRefused) {
  for (const std::string_view text : {"hello", "", "070707 old cpio"}) {
    const auto unpacked = unpack_initramfs(bytes_of(text), "file");
    ASSERT_FALSE(unpacked) << text;
    EXPECT_THAT(unpacked.error().message, HasSubstr("file: ")) << text;
  }
  EXPECT_THAT(unpack_initramfs(bytes_of("hello world"), "file").error().message,
              HasSubstr("not a newc cpio archive (magic 070701)"));
}

// Module names come from file names as modprobe takes them.
TEST(ModuleName, FromAFileName) {
  EXPECT_EQ(module_name_of("dir/my-driver.ko"), "my_driver");
  EXPECT_EQ(module_name_of("plain"), "plain");
}

// A file that is no module is refused with its name and exit code 3.
TEST(OpenModule, OtherFilesAreRefused) {
  const auto directory = build::TempDir::create();
  ASSERT_TRUE(directory);
  const std::string path = directory->path() / "text.ko";
  ASSERT_TRUE(write_file(path, std::string_view("this is no ELF file, though it is long enough "
                                                "to hold a header of 64 bytes")));
  const auto opened = open_module(path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, observe::ExitCode::bad_file);
  EXPECT_THAT(opened.error().message, HasSubstr(path + ": not a kernel module for AArch64"));
  EXPECT_THAT(open_module(directory->path() / "absent.ko").error().message,
              HasSubstr("absent.ko: cannot open"));
}

}  // namespace
}  // namespace pkvmemu::tool
