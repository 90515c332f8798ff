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
#include <sstream>
#include <string>
#include <vector>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

std::vector<std::string> sub_commands() {
  return {"run", "build", "new", "inspect", "sites", "report", "sweep", "test"};
}

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
        "share/man/man1/pkvm-emu-build.1", "share/man/man1/pkvm-emu-inspect.1",
        "share/man/man1/pkvm-emu-sites.1", "share/man/man1/pkvm-emu-report.1",
        "share/man/man1/pkvm-emu-sweep.1", "share/man/man1/pkvm-emu-test.1",
        "share/doc/pkvm-emu/copyright", "share/doc/pkvm-emu/cli.md"})
    EXPECT_TRUE(fs::is_regular_file(prefix() / name)) << name;
  EXPECT_FALSE(fs::exists(prefix() / "share/pkvm-emu/samples/hello/CMakeLists.txt"));
}

// So are the files of C++ projects; tools/check-cpp-package builds one with them.
TEST_F(Install, HasTheCppInterface) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "a library with sanitizers in it is not for others";
#endif
  for (const char* name :
       {"include/pkvmemu/pkvmemu.h", "include/pkvmemu/gmock.h", "lib/libpkvmemu.a",
        "lib/cmake/pkvm-emu/pkvm-emu-config.cmake", "lib/cmake/pkvm-emu/pkvm-emu-modules.cmake",
        "lib/cmake/pkvm-emu/pkvm-emu-config-version.cmake",
        "share/pkvm-emu/examples/gtest/CMakeLists.txt"})
    EXPECT_TRUE(fs::is_regular_file(prefix() / name)) << name;
}

// Of all names in the library only the interface's own are visible: nothing of what it is made of
// meets an author's own libraries.
TEST_F(Install, TheLibraryShowsOnlyItsInterface) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "a library with sanitizers in it is not for others";
#endif
  const auto names =
      shell("nm --defined-only --extern-only --format=posix '" +
            (prefix() / "lib/libpkvmemu.a").string() + "' | tail -n +2 | cut -d' ' -f1");
  ASSERT_EQ(names.exit_code, 0) << names.err;
  const auto all = split_lines(names.out);
  EXPECT_GT(all.size(), 40U);
  for (const std::string& name : all)
    EXPECT_THAT(name, testing::MatchesRegex("_Z(NK?|T[A-Z]N)7pkvmemu2v1.*"));
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

/// What zsh offers; `words` as in bash. compadd is what a completion answers with.
std::string completed_by_zsh(const std::string& program, const std::string& words) {
  const auto result =
      run_process({"zsh", "-f", "-c",
                   "compadd() { [[ $1 == -- ]] && shift; local word; for word; do "
                   "[[ $word == ${words[CURRENT]}* ]] && print -rn -- \"$word \"; done }; "
                   "_files() { print -rn -- \"files $* \" }; words=('" +
                       program + "' " + words +
                       "); CURRENT=$#words; complete() { source '" PKVMEMU_SOURCE_DIR
                       "/share/zsh/site-functions/_pkvm-emu' }; complete; true"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
  return result.out;
}

// zsh completes the same, where there is a zsh.
TEST_F(Install, CompletionInZsh) {
  if (run_process({"which", "zsh"}).exit_code != 0) GTEST_SKIP() << "zsh is not installed";
  EXPECT_EQ(completed_by_zsh(program(), "bu"), "build ");
  EXPECT_EQ(completed_by_zsh(program(), "run --exp"), "--export-qemu ");
  EXPECT_EQ(completed_by_zsh(program(), "build mine --ou"), "--output ");
  EXPECT_EQ(completed_by_zsh(program(), "build --kmi android16"), "android16-6.12 ");
  EXPECT_EQ(completed_by_zsh(program(), "run --unresolved s"), "stub ");
  EXPECT_EQ(completed_by_zsh(program(), "build --sdk ''"), "files -/ ");
  EXPECT_EQ(completed_by_zsh(program(), "run ''"), "files  ");
  EXPECT_EQ(completed_by_zsh(program(), "run --nosuch"), "");
}

/// Every option that the program takes, asked of the program: a wrong one is a usage error that
/// says so, an existing one is not.
std::set<std::string> options_of(const std::string& program, const std::string& command) {
  const auto help = run_process({program, command, "--help"});
  std::set<std::string> options;
  const std::regex at_line("\n  (-[^ ]+)");
  for (std::sregex_iterator at(help.out.begin(), help.out.end(), at_line);
       at != std::sregex_iterator{}; ++at) {
    std::stringstream names((*at)[1]);
    for (std::string name; std::getline(names, name, ',');)
      options.insert(name);
  }
  return options;
}

std::set<std::string> words_in(const std::string& text) {
  std::stringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

// Both shells offer each option of each sub-command, and nothing else; the man page has them all.
TEST_F(Install, EveryOptionIsCompletedAndInTheManPage) {
  const bool zsh = run_process({"which", "zsh"}).exit_code == 0;
  for (const std::string& command : sub_commands()) {
    const std::set<std::string> options = options_of(program(), command);
    EXPECT_THAT(options, testing::IsSupersetOf({"--help", "-q", "--quiet", "-v", "--verbose"}));
    EXPECT_EQ(words_in(completed(program(), command + " -")), options) << command;
    if (zsh) EXPECT_EQ(words_in(completed_by_zsh(program(), command + " -")), options) << command;
    const std::string page =
        std::regex_replace(content_of(prefix() / ("share/man/man1/pkvm-emu-" + command + ".1")),
                           std::regex(R"(\\-)"), "-");
    for (const std::string& option : options)
      if (option != "-h" && option != "--help") EXPECT_THAT(page, HasSubstr(option)) << command;
  }
}

// Every sub-command's help ends with examples, and each of them names the sub-command.
TEST_F(Install, HelpHasExamples) {
  for (const std::string& command : sub_commands()) {
    const auto help = run_process({program(), command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    const std::size_t examples = help.out.find("\nExamples:\n");
    ASSERT_NE(examples, std::string::npos) << command;
    EXPECT_THAT(help.out.substr(examples), HasSubstr("\n  pkvm-emu " + command + " "));
  }
}

// --version names what is inside, and the compiler as it is, or that it is missing.
TEST_F(Install, VersionNamesTheParts) {
  const auto version = run_process({program(), "--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out,
              testing::ContainsRegex("^pkvm-emu [0-9.]+\nruns on Unicorn [0-9.]+, decodes with "
                                     "Capstone [0-9.]+, builds with LLVM 19\\.[0-9.]+\n$"));
  const auto without = shell("PATH=/nowhere '" + program() + "' --version");
  EXPECT_THAT(without.out, HasSubstr("builds with LLVM 19, which is not installed"));
}

// Every option that a man page names exists, and the pages have no formatting mistakes.
TEST_F(Install, ManPagesAreTrue) {
  for (const std::string& command : sub_commands()) {
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
  const auto fields = shell("dpkg-deb -f '" + folder + "'/pkvm-emu_*.deb");
  EXPECT_THAT(fields.out, HasSubstr("Package: pkvm-emu\n"));
  EXPECT_THAT(fields.out, HasSubstr("Recommends: clang-19, lld-19, llvm-19\n"));

  const auto depends =
      shell("dpkg-deb -f '" + folder + "'/pkvm-emu_*.deb Depends | tr ',' '\\n' | " +
            "sed 's/^ *//; s/ .*//' | sort -u");
  EXPECT_THAT(split_lines(depends.out), Not(IsEmpty()));
  const std::set<std::string> debian_12 = {"libc6", "libgcc-s1", "libstdc++6"};
  for (const std::string& name : split_lines(depends.out))
    EXPECT_TRUE(debian_12.contains(name)) << name << " in " << fields.out;
  // Debian 12's versions of these three.
  EXPECT_THAT(shell("dpkg-deb -f '" + folder + "'/pkvm-emu_*.deb Depends").out,
              Not(testing::ContainsRegex("libc6 \\(>= 2\\.(3[7-9]|[4-9])|6 \\(>= 1[3-9]")));

  ASSERT_EQ(shell("dpkg-deb -x '" + folder + "'/pkvm-emu_*.deb '" + folder + "/root'").exit_code,
            0);
  const auto run = shell("'" + folder + "/root/usr/bin/pkvm-emu' run '" + folder +
                         "/root/usr/share/pkvm-emu/modules/hello.ko'");
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
}

}  // namespace
}  // namespace pkvmemu::test
