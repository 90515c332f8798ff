// SPDX-License-Identifier: GPL-2.0-only
// Sources and folders that `build` cannot make a module of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "support.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// hello's sources in a folder, where one thing is then made wrong.
struct BadFolder {
  std::string name;
  std::function<void(const fs::path&)> spoil;
  int exit_code;
  std::string says;

  friend void PrintTo(const BadFolder& row, std::ostream* out) { *out << row.name; }
};

void close_file(const fs::path& path) {
  fs::permissions(path, fs::perms::none);
}

void make_directory_of(const fs::path& path) {
  fs::remove(path);
  fs::create_directory(path);
}

class BadSources : public testing::TestWithParam<BadFolder> {};
INSTANTIATE_TEST_SUITE_P(
    BadSources, BadSources,
    testing::Values(
        BadFolder{"NoMakefile", [](const fs::path& f) { fs::remove(f / "Makefile"); }, 3,
                  "Makefile"},
        BadFolder{"EmptyMakefile", [](const fs::path& f) { put(f / "Makefile", ""); }, 3, "obj-m"},
        BadFolder{"MakefileIsADirectory",
                  [](const fs::path& f) { make_directory_of(f / "Makefile"); }, 3, "Makefile"},
        BadFolder{"ClosedMakefile", [](const fs::path& f) { close_file(f / "Makefile"); }, 3,
                  "Permission denied"},
        BadFolder{"HugeMakefile", [](const fs::path& f) { put_sparse(f / "Makefile", tebibyte); },
                  3, "too large"},
        BadFolder{"BinaryMakefile",
                  [](const fs::path& f) { put(f / "Makefile", content_of(module("hello"))); }, 3,
                  "Makefile:"},
        BadFolder{"EndlessMakefile",
                  [](const fs::path& f) { put(f / "Makefile", "obj-m := $(A)\nA = $(A)\n"); }, 3,
                  "Makefile:"},
        BadFolder{"NoSource", [](const fs::path& f) { fs::remove(f / "el1.c"); }, 3, "el1.c"},
        BadFolder{"SourceIsADirectory", [](const fs::path& f) { make_directory_of(f / "el1.c"); },
                  3, "el1.c: is a directory"},
        BadFolder{"ClosedSource", [](const fs::path& f) { close_file(f / "el1.c"); }, 3,
                  "el1.c: cannot open: Permission denied"},
        BadFolder{"HugeSource", [](const fs::path& f) { put_sparse(f / "el1.c", tebibyte); }, 3,
                  "el1.c: larger than"},
        BadFolder{"HugeEl2Source",
                  [](const fs::path& f) { put_sparse(f / "hyp" / "el2.c", tebibyte); }, 3,
                  "el2.c: larger than"},
        BadFolder{"BinarySource",
                  [](const fs::path& f) { put(f / "el1.c", content_of(module("hello"))); }, 3,
                  "el1.c: is a binary file"},
        BadFolder{"BinaryEl2Source",
                  [](const fs::path& f) { put(f / "hyp" / "el2.c", content_of(module("hello"))); },
                  3, "el2.c: is a binary file"},
        BadFolder{"EmptyEl2Source", [](const fs::path& f) { put(f / "hyp" / "el2.c", ""); }, 3,
                  "no EL2 source defines"},
        BadFolder{"EndlessSource",
                  [](const fs::path& f) { put(f / "el1.c", "#include \"el1.c\"\n"); }, 3,
                  "compiling"},
        BadFolder{"SourceIsNoFile",
                  [](const fs::path& f) {
                    fs::remove(f / "el1.c");
                    fs::create_symlink("/dev/zero", f / "el1.c");
                  },
                  3, "el1.c: is a device"}),
    [](const auto& instance) { return instance.param.name; });

// One error that names the file (a compiler's messages may follow), its exit code, and no output.
TEST_P(BadSources, AreRefused) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch.path() / "hello";
  fs::copy(fs::path(PKVMEMU_SAMPLES) / "hello", folder, fs::copy_options::recursive);
  GetParam().spoil(folder);
  const std::string output = scratch.path() / "out.ko";
  const auto result = pkvm_emu_without_powers({"build", folder, "-o", output});
  EXPECT_EQ(result.exit_code, GetParam().exit_code) << result.err << result.out;
  EXPECT_THAT(result.err, testing::StartsWith("pkvm-emu: "));
  EXPECT_THAT(lines_with(split_lines(result.err), "pkvm-emu: "), testing::SizeIs(1));
  EXPECT_THAT(result.err, HasSubstr(GetParam().says));
  EXPECT_FALSE(fs::exists(output));
}

// No folder, no sources: each has its sentence.
TEST(BadSource, NothingToBuild) {
  const ScratchDirectory scratch;
  const std::string text = scratch.path() / "notes.txt";
  put(text, "text");
  const std::string c = scratch.path() / "nosuch.c";
  const std::string empty = scratch.path() / "empty";
  fs::create_directory(empty);
  expect_refusal(pkvm_emu({"build", text}), {.exit_code = 2, .parts = {text, "C sources"}});
  expect_refusal(pkvm_emu({"build", c}), {.exit_code = 3, .parts = {c, "no such file"}});
  expect_refusal(pkvm_emu({"build", empty}), {.exit_code = 3, .parts = {empty, "Makefile"}});
  expect_refusal(pkvm_emu({"build", scratch.path() / "nosuch"}),
                 {.exit_code = 2, .parts = {"nosuch"}});
}

}  // namespace
}  // namespace pkvmemu::test
