// SPDX-License-Identifier: GPL-2.0-only
// What `cmake --install` and the Debian package hold, used from where they were put.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <string>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ProcessResult shell(const std::string& line) {
  return run_process({"sh", "-c", line}, 240);
}

/// One installation into DESTDIR for all tests of the suite.
class Install : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = std::make_unique<ScratchDirectory>();
    const auto done =
        shell("DESTDIR='" + scratch->path().string() +
              "' '" PKVMEMU_CMAKE "' --install '" PKVMEMU_BUILD_DIR "' --prefix /opt/pkvm");
    ASSERT_EQ(done.exit_code, 0) << done.out << done.err;
  }
  static void TearDownTestSuite() { scratch.reset(); }

  [[nodiscard]] static fs::path prefix() { return scratch->path() / "opt/pkvm"; }
  [[nodiscard]] static std::string program() { return prefix() / "bin/pkvm-emu"; }

  static inline std::unique_ptr<ScratchDirectory> scratch;
};

// Every kind of file is there.
TEST_F(Install, IsComplete) {
  for (const char* name :
       {"bin/pkvm-emu", "share/pkvm-emu/sdk/include/asm/kvm_pkvm_module.h",
        "share/pkvm-emu/samples/hello/el1.c", "share/pkvm-emu/samples/README.md",
        "share/pkvm-emu/modules/hello.ko", "share/bash-completion/completions/pkvm-emu",
        "share/zsh/site-functions/_pkvm-emu", "share/man/man1/pkvm-emu.1",
        "share/man/man1/pkvm-emu-build.1", "share/doc/pkvm-emu/copyright",
        "share/doc/pkvm-emu/cli.md"})
    EXPECT_TRUE(fs::is_regular_file(prefix() / name)) << name;
  EXPECT_FALSE(fs::exists(prefix() / "share/pkvm-emu/samples/hello/CMakeLists.txt"));
}

// The installed program runs the installed module, from any folder.
TEST_F(Install, RunsAShippedModule) {
  const auto run = shell("cd / && '" + program() + "' run '" + prefix().string() +
                         "/share/pkvm-emu/modules/hello.ko' --call hello_hvc:40,2");
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("x0 0, x1 0x2a"));
}

// The installed program builds with the installed SDK: taking the SDK away takes that away, and
// what it builds from the installed sample is the installed module.
TEST_F(Install, BuildsWithItsOwnSdk) {
  const ScratchDirectory work;
  const std::string build = "cd '" + work.path().string() + "' && '" + program() + "' build '" +
                            prefix().string() + "/share/pkvm-emu/samples/hello'";
  const auto built = shell(build);
  ASSERT_EQ(built.exit_code, 0) << built.err;
  EXPECT_TRUE(content_of(work.path() / "hello.ko") ==
              content_of(prefix() / "share/pkvm-emu/modules/hello.ko"));

  const fs::path sdk = prefix() / "share/pkvm-emu/sdk";
  fs::rename(sdk, sdk.string() + ".away");
  const auto without = shell(build);
  fs::rename(sdk.string() + ".away", sdk);
  EXPECT_EQ(without.exit_code, 3);
  EXPECT_THAT(without.err, HasSubstr("share/pkvm-emu/sdk: the SDK is not there"));
}

// Nothing of the build's own folder is in the program.
TEST_F(Install, ForgetsWhereItWasBuilt) {
  EXPECT_FALSE(content_of(program()).contains(PKVMEMU_BUILD_DIR "/share"));
}

/// What bash offers after the words typed so far.
std::string completed(const std::string& program, const std::string& words) {
  const auto result = run_process(
      {"bash", "-c",
       "source '" PKVMEMU_SOURCE_DIR "/share/bash-completion/completions/pkvm-emu'; COMP_WORDS=('" +
           program + "' " + words +
           "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _pkvm_emu; echo \"${COMPREPLY[*]}\""});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

// bash completes sub-commands, options of the one that was typed, and values.
TEST_F(Install, CompletionInBash) {
  EXPECT_EQ(completed(program(), "bu"), "build\n");
  EXPECT_THAT(completed(program(), "''"), HasSubstr("run"));
  EXPECT_EQ(completed(program(), "run --exp"), "--export-qemu\n");
  EXPECT_EQ(completed(program(), "build mine --ou"), "--output\n");
  EXPECT_EQ(completed(program(), "build --kmi android16"), "android16-6.12\n");
  EXPECT_EQ(completed(program(), "run --nosuch"), "\n");
}

// zsh's completion parses, where there is a zsh.
TEST_F(Install, CompletionInZsh) {
  if (run_process({"which", "zsh"}).exit_code != 0) GTEST_SKIP() << "zsh is not installed";
  const auto result =
      run_process({"zsh", "-n", PKVMEMU_SOURCE_DIR "/share/zsh/site-functions/_pkvm-emu"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

// Every option that a man page names exists, and the pages have no formatting mistakes.
TEST_F(Install, ManPagesAreTrue) {
  for (const std::string command : {"run", "build", "new"}) {
    const fs::path page = prefix() / ("share/man/man1/pkvm-emu-" + command + ".1");
    const std::string text = std::regex_replace(content_of(page), std::regex(R"(\\-)"), "-");
    const auto help = run_process({program(), command, "--help"});
    const std::regex option("--[a-z][a-z-]*");
    for (std::sregex_iterator at(text.begin(), text.end(), option); at != std::sregex_iterator{};
         ++at)
      EXPECT_THAT(help.out, HasSubstr(at->str())) << page;
  }
  if (run_process({"which", "groff"}).exit_code != 0) return;
  for (const auto& page : fs::directory_iterator(prefix() / "share/man/man1")) {
    const auto formatted = run_process({"groff", "-man", "-Tascii", "-ww", "-z", page.path()});
    EXPECT_EQ(formatted.exit_code, 0);
    EXPECT_THAT(formatted.err, IsEmpty()) << page.path();
  }
}

// The Debian package needs nothing that Debian 12 does not have, and holds the same program.
TEST_F(Install, DebianPackage) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the package's program is stripped, so the leak suppressions find no names in it";
#endif
  if (run_process({"which", "dpkg-shlibdeps"}).exit_code != 0)
    GTEST_SKIP() << "dpkg-dev is not installed";
  const ScratchDirectory work;
  const std::string folder = work.path();
  const auto packed = shell("cd '" + folder +
                            "' && '" PKVMEMU_CPACK "' -G DEB --config '" PKVMEMU_BUILD_DIR
                            "/CPackConfig.cmake' -B '" +
                            folder + "'");
  ASSERT_EQ(packed.exit_code, 0) << packed.out << packed.err;
  const auto fields = shell("dpkg-deb -f '" + folder + "'/*.deb");
  EXPECT_THAT(fields.out, HasSubstr("Package: pkvm-emu\n"));
  EXPECT_THAT(fields.out, HasSubstr("Recommends: clang-19, lld-19, llvm-19\n"));

  const auto depends = shell("dpkg-deb -f '" + folder + "'/*.deb Depends | tr ',' '\\n' | " +
                             "sed 's/^ *//; s/ .*//' | sort -u");
  EXPECT_THAT(split_lines(depends.out), Not(IsEmpty()));
  const std::set<std::string> debian_12 = {"libc6", "libgcc-s1", "libstdc++6"};
  for (const std::string& name : split_lines(depends.out))
    EXPECT_TRUE(debian_12.contains(name)) << name << " in " << fields.out;
  // Debian 12's versions of these three.
  EXPECT_THAT(shell("dpkg-deb -f '" + folder + "'/*.deb Depends").out,
              Not(testing::ContainsRegex("libc6 \\(>= 2\\.(3[7-9]|[4-9])|6 \\(>= 1[3-9]")));

  ASSERT_EQ(shell("dpkg-deb -x '" + folder + "'/*.deb '" + folder + "/root'").exit_code, 0);
  const auto run = shell("'" + folder + "/root/usr/bin/pkvm-emu' run '" + folder +
                         "/root/usr/share/pkvm-emu/modules/hello.ko'");
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
}

}  // namespace
}  // namespace pkvmemu::test
