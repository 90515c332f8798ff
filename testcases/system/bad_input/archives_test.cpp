// SPDX-License-Identifier: GPL-2.0-only
// An initramfs that is damaged, hostile, or no archive: refused by the command when it cannot be
// walked, by the guest's kernel when what is in it does not serve.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "image/cpio_writer.h"
#include "support.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* folder = "lib/modules/6.6.77/";

using Entries = std::vector<std::pair<std::string, Bytes>>;

Bytes archive_of(const Entries& entries) {
  image::CpioWriter writer;
  for (const auto& [path, data] : entries)
    if (!writer.add_file(path, data)) throw std::runtime_error("cpio");
  return std::move(writer).finish();
}

Bytes hello() {
  return content_of(module("hello"));
}

/// hello where a kernel looks for it, and a file before it.
Bytes good() {
  return archive_of({{"first", bytes_of("1")},
                     {std::string(folder) + "hello.ko", hello()},
                     {std::string(folder) + "modules.dep", bytes_of("hello.ko:\n")}});
}

/// `good` with eight hexadecimal digits of the first header replaced.
Bytes with_field(std::size_t field, std::string_view digits) {
  Bytes bytes = good();
  const Bytes text = bytes_of(digits);
  std::ranges::copy(text, bytes.begin() + static_cast<std::ptrdiff_t>(6 + 8 * field));
  return bytes;
}
constexpr std::size_t file_size_field = 6;
constexpr std::size_t name_size_field = 11;

Bytes cut(std::size_t size) {
  Bytes bytes = good();
  bytes.resize(size);
  return bytes;
}

Bytes without_trailer() {
  constexpr std::size_t header = 110;
  const Bytes bytes = good();
  const Bytes name = bytes_of("TRAILER!!!");
  const auto found = std::ranges::search(bytes, name).begin();
  return cut(static_cast<std::size_t>(found - bytes.begin()) - header);
}

Bytes gzip(const Bytes& plain) {
  const ScratchDirectory scratch;
  put(scratch.path() / "plain", plain);
  if (run_process({"gzip", scratch.path() / "plain"}).exit_code != 0)
    throw std::runtime_error("gzip");
  return content_of(scratch.path() / "plain.gz");
}

/// A few megabytes that unpack to more than any initramfs may.
Bytes bomb() {
  constexpr std::uintmax_t size = std::uintmax_t{600} << 20U;
  const ScratchDirectory scratch;
  put_sparse(scratch.path() / "plain", size);
  if (run_process({"gzip", "-1", scratch.path() / "plain"}).exit_code != 0)
    throw std::runtime_error("gzip");
  return content_of(scratch.path() / "plain.gz");
}

Bytes cut_gzip() {
  Bytes packed = gzip(good());
  packed.resize(packed.size() / 2);
  return packed;
}

struct BadArchive {
  std::string name;
  std::function<Bytes()> content;
  std::string says;

  friend void PrintTo(const BadArchive& row, std::ostream* out) { *out << row.name; }
};

class UnreadableArchive : public testing::TestWithParam<BadArchive> {};
INSTANTIATE_TEST_SUITE_P(
    BadInitramfs, UnreadableArchive,
    testing::Values(
        BadArchive{"Empty", [] { return Bytes{}; }, "is empty"},
        BadArchive{"Text", [] { return bytes_of("Hello, world\n"); }, "not a newc cpio archive"},
        BadArchive{"Module", [] { return hello(); }, "not a newc cpio archive"},
        BadArchive{"CutInAHeader", [] { return cut(50); }, "ends too early"},
        BadArchive{"CutInData", [] { return cut(good().size() / 2); }, "ends too early"},
        BadArchive{"NoTrailer", without_trailer, "without its trailer"},
        BadArchive{"BadMagicLater",
                   [] {
                     Bytes bytes = good();
                     bytes[120] = std::byte{'x'};
                     return bytes;
                   },
                   "bad magic"},
        BadArchive{"NotHexadecimal", [] { return with_field(file_size_field, "0000xyz1"); },
                   "not a hexadecimal number"},
        BadArchive{"HugeFile", [] { return with_field(file_size_field, "FFFFFFFF"); },
                   "ends too early"},
        BadArchive{"HugeName", [] { return with_field(name_size_field, "FFFFFFFF"); },
                   "ends too early"},
        BadArchive{"NoName", [] { return with_field(name_size_field, "00000000"); }, "a name at"},
        BadArchive{"NameWithoutEnd", [] { return with_field(name_size_field, "00000005"); },
                   "a name at"},
        BadArchive{"PackedText", [] { return gzip(bytes_of("Hello, world\n")); },
                   "not a newc cpio archive"},
        BadArchive{"PackedAndCut", cut_gzip, "cannot unpack"},
        BadArchive{"Bomb", bomb, "not a newc cpio archive"},
        BadArchive{"BadWish",
                   [] { return archive_of({{"pkvm-emu.rc", bytes_of("\ncall 128\ncall 12\n")}}); },
                   "pkvm-emu.rc:3: '12' is no id of a dynamic call"},
        BadArchive{"BinaryWish", [] { return archive_of({{"pkvm-emu.rc", hello()}}); },
                   "pkvm-emu.rc:1: "}),
    [](const auto& instance) { return instance.param.name; });

// One sentence that names the archive; 3; nothing is written, neither report nor folder.
TEST_P(UnreadableArchive, IsRefused) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "initramfs";
  put(path, GetParam().content());
  const Refusal refusal{.exit_code = 3, .parts = {"pkvm-emu: " + path + ": ", GetParam().says}};
  expect_refusal(
      pkvm_emu({"run", "hello", "--initramfs", path, "--json", scratch.path() / "report.json"}),
      refusal);
  expect_refusal(
      pkvm_emu({"run", "hello", "--initramfs", path, "--export-qemu", scratch.path() / "out"}),
      refusal);
  EXPECT_THAT(names_in(scratch.path()), testing::ElementsAre("initramfs"));
}

// What is no file to read: 3, at once.
TEST(BadInitramfs, NoFileAtAll) {
  const ScratchDirectory scratch;
  const std::string huge = scratch.path() / "huge";
  const std::string closed = scratch.path() / "closed";
  put_sparse(huge, tebibyte);
  put(closed, good());
  fs::permissions(closed, fs::perms::none);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {scratch.path(), "is a directory"}, {scratch.path() / "nosuch", "No such file"},
      {closed, "Permission denied"},      {huge, "larger than"},
      {"/dev/zero", "is a device"},
  };
  for (const auto& [path, says] : rows)
    expect_refusal(pkvm_emu_without_powers({"run", "hello", "--initramfs", path}),
                   {.exit_code = 3, .parts = {path, says}});
}

struct BadContent {
  std::string name;
  std::function<Entries()> entries;
  std::string says;

  friend void PrintTo(const BadContent& row, std::ostream* out) { *out << row.name; }
};

/// A module at a path, and a modules.dep that says so.
Entries with(const std::string& path, const Bytes& content,
             std::string_view modules_dep = "hello.ko:\n") {
  return {{path, content}, {std::string(folder) + "modules.dep", bytes_of(modules_dep)}};
}

Entries with_dependencies(std::string_view modules_dep) {
  return with(std::string(folder) + "hello.ko", hello(), modules_dep);
}

Bytes damaged_hello() {
  Bytes bytes = hello();
  bytes.resize(bytes.size() / 2);
  return bytes;
}

class BadArchiveContent : public testing::TestWithParam<BadContent> {};
INSTANTIATE_TEST_SUITE_P(
    BadInitramfs, BadArchiveContent,
    testing::Values(
        BadContent{"CyclicDependencies",
                   [] {
                     Entries entries = with_dependencies("hello.ko: a.ko\na.ko: hello.ko\n");
                     entries.emplace_back(std::string(folder) + "a.ko",
                                          content_of(module("counter")));
                     return entries;
                   },
                   "modules.dep is cyclic"},
        BadContent{"DependsOnItself", [] { return with_dependencies("hello.ko: hello.ko\n"); },
                   "modules.dep is cyclic"},
        BadContent{"BinaryDependencies",
                   [] { return Entries{{std::string(folder) + "modules.dep", hello()}}; },
                   "no such file"},
        BadContent{"OutsideTheFolder",
                   [] { return with("../" + std::string(folder) + "hello.ko", hello()); },
                   "no such file"},
        BadContent{"DetourInThePath",
                   [] { return with("lib/modules/6.6.77/../6.6.77/hello.ko", hello()); },
                   "no such file"},
        BadContent{"EmptyModule", [] { return with(std::string(folder) + "hello.ko", Bytes{}); },
                   "is empty"},
        BadContent{"CutModule",
                   [] { return with(std::string(folder) + "hello.ko", damaged_hello()); },
                   "ends too early"},
        BadContent{"TextModule",
                   [] { return with(std::string(folder) + "hello.ko", bytes_of("text")); },
                   "not an ELF file"}),
    [](const auto& instance) { return instance.param.name; });

// The archive can be walked: the guest's kernel refuses the module, and the verdict says why.
TEST_P(BadArchiveContent, IsRefusedByTheKernel) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "initramfs.cpio";
  put(path, archive_of(GetParam().entries()));
  const auto run = pkvm_emu({"run", "hello", "--initramfs", path});
  EXPECT_EQ(run.exit_code, 10) << run.out << run.err;
  const auto verdicts = lines_with(split_lines(run.out), "module hello: NOT loaded: ");
  ASSERT_THAT(verdicts, SizeIs(1)) << run.out;
  EXPECT_THAT(verdicts.front(), HasSubstr(GetParam().says));
}

// The good twin: these archives are refused for what is wrong in them, not for being archives.
TEST(BadInitramfs, GoodTwinLoads) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "initramfs.cpio";
  put(path, good());
  EXPECT_EQ(pkvm_emu({"run", "hello", "--initramfs", path}).exit_code, 0);
}

}  // namespace
}  // namespace pkvmemu::test
