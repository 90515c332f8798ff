// SPDX-License-Identifier: GPL-2.0-only
// The first hour of a module's author: write one, build it, run it, break it in nine ways, and read
// from the output alone what to mend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Author : public testing::Test {
 protected:
  /// In the author's own folder.
  [[nodiscard]] ProcessResult pkvm_emu(const std::string& arguments) const {
    return run_process({"sh", "-c",
                        "cd '" + folder().string() +
                            "' && exec '" PKVMEMU_BUILD_DIR "/bin/pkvm-emu' " + arguments});
  }
  [[nodiscard]] const fs::path& folder() const { return scratch_.path(); }

  /// Changes a file of the module "mine"; the text to change has to be there.
  void change(const fs::path& name, const std::string& from, const std::string& to) const {
    const fs::path path = folder() / "mine" / name;
    std::string text = content_of(path);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    std::ofstream(path, std::ios::binary) << text.replace(at, from.size(), to);
  }
  /// The line of a file of "mine" that contains `part`, counted from 1.
  [[nodiscard]] std::string line_with(const fs::path& name, std::string_view part) const {
    const std::string text = content_of(folder() / "mine" / name);
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(text.find(part));
    return std::to_string(std::count(text.begin(), end, '\n') + 1);
  }

 private:
  ScratchDirectory scratch_;
};

/// "mine", fresh and good.
class Mine : public Author {
 protected:
  Mine() {
    const auto made = pkvm_emu("new mine");
    if (made.exit_code != 0) throw std::runtime_error(made.err);
  }
};

// new, build and run are three commands, each of which names the next one.
TEST_F(Author, WritesBuildsAndRunsAModule) {
  const auto made = pkvm_emu("new mine");
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr("pkvm-emu build mine"), HasSubstr("pkvm-emu run mine.ko")));
  const auto built = pkvm_emu("build mine");
  EXPECT_EQ(built.exit_code, 0) << built.err;
  EXPECT_EQ(built.out, "mine.ko: module mine for android15-6.6\n");
  EXPECT_THAT(built.err, IsEmpty());
  const auto run = pkvm_emu("run mine.ko --call mine_hvc:41");
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("call mine_hvc (hvc 128) (0x29): x0 0, x1 0x2a"));
}

// The README of a new module tells commands that work where it tells them.
TEST_F(Mine, ReadmeIsTrue) {
  const auto run = run_process(
      {"sh", "-c",
       "cd '" + folder().string() +
           "/mine' && PATH='" PKVMEMU_BUILD_DIR
           "/bin':$PATH && pkvm-emu build . && pkvm-emu run mine.ko --call mine_hvc:41"});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("x1 0x2a"));
  const std::string readme = content_of(folder() / "mine/README.md");
  EXPECT_THAT(readme, AllOf(HasSubstr("`pkvm-emu build .`"),
                            HasSubstr("`pkvm-emu run mine.ko --call mine_hvc:41`")));
}

// The folder's Makefile and a list of the sources give the same bytes; so does a second build.
TEST_F(Mine, FolderAndSourcesBuildTheSame) {
  ASSERT_EQ(pkvm_emu("build mine").exit_code, 0);
  ASSERT_EQ(pkvm_emu("build mine/el1.c mine/hyp/el2.c -o other.ko --name mine").exit_code, 0);
  ASSERT_EQ(pkvm_emu("build mine -o again.ko").exit_code, 0);
  const std::string built = content_of(folder() / "mine.ko");
  EXPECT_FALSE(built.empty());
  EXPECT_TRUE(built == content_of(folder() / "other.ko"));
  EXPECT_TRUE(built == content_of(folder() / "again.ko"));
}

// It builds for every generation without a warning, and the file says for which.
TEST_F(Mine, BuildsForEveryGeneration) {
  const std::pair<const char*, const char*> rows[] = {{"android14-6.1", "vermagic=6.1."},
                                                      {"android15-6.6", "vermagic=6.6."},
                                                      {"android16-6.12", "vermagic=6.12."}};
  for (const auto& [kmi, mark] : rows) {
    const auto built = pkvm_emu("build mine --fatal-warnings --kmi " + std::string(kmi));
    EXPECT_EQ(built.exit_code, 0) << kmi << built.err;
    EXPECT_TRUE(content_of(folder() / "mine.ko").contains(mark)) << kmi;
  }
}

// Broken, 1: a missing semicolon is answered with its file and line, and no module is left.
TEST_F(Mine, ASyntaxErrorIsNamed) {
  change("el1.c", "unsigned long token;", "unsigned long token");
  const auto built = pkvm_emu("build mine");
  EXPECT_EQ(built.exit_code, 3);
  EXPECT_THAT(built.err, HasSubstr("mine/el1.c:" + line_with("el1.c", "unsigned long token") +
                                   ":21: error: expected ';'"));
  EXPECT_FALSE(fs::exists(folder() / "mine.ko"));
}

// Broken, 2: a kernel function at EL2, known to the headers or only to the linker.
TEST_F(Mine, AKernelFunctionAtEl2IsNamed) {
  change("hyp/el2.c", "#include <linux/version.h>",
         "#include <linux/printk.h>\n#include <linux/version.h>");
  change("hyp/el2.c", "pkvm_ops = ops;", "pr_info(\"here\");");
  const auto printk = pkvm_emu("build mine");
  EXPECT_EQ(printk.exit_code, 3);
  EXPECT_THAT(printk.err, AllOf(HasSubstr("mine/hyp/el2.c:" + line_with("hyp/el2.c", "pr_info")),
                                HasSubstr("printk does not exist at EL2: use ops->puts")));

  change("hyp/el2.c", "pr_info(\"here\");",
         "extern void kfree(const void *); kfree(ops); pkvm_ops = ops;");
  const auto kfree = pkvm_emu("build mine");
  EXPECT_EQ(kfree.exit_code, 3);
  EXPECT_THAT(kfree.err, AllOf(HasSubstr("EL2 code (function mine_hyp_init) refers to kfree"),
                               HasSubstr("use the operations of pkvm_module_ops")));
}

// Broken, 3: an init that returns an error is named with its number and its name.
TEST_F(Mine, AFailingInitIsNamed) {
  change("hyp/el2.c", "return 0;", "return -22;");
  ASSERT_EQ(pkvm_emu("build mine").exit_code, 0);
  const auto run = pkvm_emu("run mine.ko --call mine_hvc");
  EXPECT_EQ(run.exit_code, 10);
  EXPECT_THAT(split_lines(run.out),
              Contains("module mine: NOT loaded: init returned -22 (EINVAL)"));
}

// Broken, 4: for a misspelt handler the verdict lists those that there are.
TEST_F(Mine, AMisspeltHandlerIsNamed) {
  ASSERT_EQ(pkvm_emu("build mine").exit_code, 0);
  const auto run = pkvm_emu("run mine.ko --call mine_hcv");
  EXPECT_EQ(run.exit_code, 11);
  EXPECT_THAT(split_lines(run.out),
              Contains("call mine_hcv: not made: no loaded module registered it (registered: "
                       "mine_hvc)"));
}

// Broken, 5: a late load is refused as on a phone, and the verdict says how it is loaded instead.
TEST_F(Mine, ALateLoadIsExplained) {
  ASSERT_EQ(pkvm_emu("build mine").exit_code, 0);
  const auto run = pkvm_emu("run --late mine.ko");
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(split_lines(run.out),
              Contains("module mine: late load refused as specified: -95 (EOPNOTSUPP); to have it "
                       "loaded, name it without --late"));
}

// Broken, 6: a handler of another type. The build says so; whoever runs it all the same reads that
// the hypervisor's kCFI check ended the run.
TEST_F(Mine, AHandlerOfAnotherTypeIsNamed) {
  change("hyp/el2.c", "void mine_hvc(", "u64 mine_hvc(");
  change("hyp/el2.c", "number + 1;", "number + 1;\n\treturn 0;");
  const auto built = pkvm_emu("build mine");
  EXPECT_EQ(built.exit_code, 0) << built.err;
  EXPECT_EQ(built.err,
            "warning: mine: mine_hvc has another type at EL2 than EL1 declares; the hypervisor "
            "checks it (kCFI) and panics when it is called\n");
  const auto run = pkvm_emu("run mine.ko --call mine_hvc:41");
  EXPECT_EQ(run.exit_code, 12);
  EXPECT_THAT(run.out, AllOf(HasSubstr("nVHE hyp CFI failure at"),
                             HasSubstr("kCFI: mine_hvc [mine] is called as "
                                       "'void (struct user_pt_regs *)'")));
}

// Broken, 7: a null pointer in a handler: the function is named, and what it did.
TEST_F(Mine, ANullPointerIsNamed) {
  change("hyp/el2.c", "cpu_reg(regs, 1) = number + 1;",
         "*(volatile u64 *)(number - 41) = 1; cpu_reg(regs, 1) = number + 1;");
  ASSERT_EQ(pkvm_emu("build mine").exit_code, 0);
  const auto run = pkvm_emu("run mine.ko --call mine_hvc:41");
  EXPECT_EQ(run.exit_code, 12);
  EXPECT_THAT(run.out,
              AllOf(testing::ContainsRegex("nVHE hyp panic at: .* __kvm_nvhe_mine_hvc\\+0x"),
                    HasSubstr("not answered: the run ended inside it"),
                    HasSubstr("hyp panic: write to 0x0, a null pointer (translation fault")));
}

// The same in the init, where released kernels name no function: the verdict points to the init.
TEST_F(Mine, ANullPointerInTheInitIsNamed) {
  change("hyp/el2.c", "pkvm_ops = ops;", "pkvm_ops = ops; *(volatile u64 *)0x28 = 1;");
  ASSERT_EQ(pkvm_emu("build mine").exit_code, 0);
  const auto run = pkvm_emu("run mine.ko --call mine_hvc:41");
  EXPECT_EQ(run.exit_code, 12);
  EXPECT_THAT(run.out, AllOf(HasSubstr("hyp panic: write to 0x28, a null pointer"),
                             HasSubstr("module mine: NOT loaded: the hypervisor panicked in the "
                                       "middle of its load: look at its EL2 init")));
}

// Broken, 8: a section that a build of one's own left out is named by inspect and by run.
TEST_F(Mine, AMissingSectionIsNamed) {
  ASSERT_EQ(pkvm_emu("build mine").exit_code, 0);
  const std::string path = folder() / "mine.ko";
  ASSERT_EQ(run_process({"llvm-objcopy-19", "-R", ".hyp.reloc", path}).exit_code, 0);
  const auto inspected = pkvm_emu("inspect mine.ko");
  EXPECT_EQ(inspected.exit_code, 10);
  EXPECT_THAT(inspected.out, AllOf(HasSubstr("it has .hyp.text but no .hyp.reloc (-8 ENOEXEC)"),
                                   HasSubstr("run gen-hyprel over the EL2 object")));
  const auto run = pkvm_emu("run mine.ko --call mine_hvc");
  EXPECT_EQ(run.exit_code, 10);
  EXPECT_THAT(run.out, HasSubstr("module mine: NOT loaded: discover-hyp: has .hyp.text but no "
                                 ".hyp.reloc: was gen-hyprel run?, error -8 (ENOEXEC)"));
}

// Broken, 9: a handler that forgets x0, which android14 had set for it: the verdict says what is
// missing, and android14 still does it.
TEST_F(Mine, AForgottenResultIsNamed) {
  change("hyp/el2.c", "cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;", "");
  ASSERT_EQ(pkvm_emu("build mine").exit_code, 0);
  const auto run = pkvm_emu("run mine.ko --call mine_hvc:41");
  EXPECT_EQ(run.exit_code, 11);
  EXPECT_THAT(run.out, HasSubstr("x0 is still the number of the call; a handler sets it, to "
                                 "SMCCC_RET_SUCCESS when all is well"));
  ASSERT_EQ(pkvm_emu("build mine --kmi android14-6.1").exit_code, 0);
  EXPECT_EQ(pkvm_emu("run mine.ko --call mine_hvc:41").exit_code, 0);
}

// What new refuses: nothing is written, and nothing that was there is touched.
TEST_F(Mine, NewOverwritesNothing) {
  const std::string before = content_of(folder() / "mine/el1.c");
  const auto again = pkvm_emu("new mine");
  EXPECT_EQ(again.exit_code, 3);
  EXPECT_EQ(again.err,
            "pkvm-emu: mine: exists already and is not an empty folder: nothing was written\n");
  EXPECT_EQ(content_of(folder() / "mine/el1.c"), before);
  for (const char* name : {"9lives", "my-module", "a/b", "el1", "\"\"", "\"a b\""}) {
    const auto refused = pkvm_emu("new " + std::string(name));
    EXPECT_EQ(refused.exit_code, 2) << name;
    EXPECT_THAT(refused.err, HasSubstr("pkvm-emu: \"")) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 1);
  EXPECT_EQ(pkvm_emu("new mine /dev/null/x").exit_code, 3);
}

// Ctrl-C during a build ends it with 130 and leaves nothing: no module, no temporary folder.
TEST_F(Mine, CtrlCLeavesNothing) {
  fs::create_directories(folder() / "bin");
  fs::create_directories(folder() / "tmp");
  std::ofstream(folder() / "bin/clang-19") << "#!/bin/sh\nexec sleep 20\n";
  fs::permissions(folder() / "bin/clang-19", fs::perms::owner_all);
  const auto result = run_process({"sh", "-c",
                                   "cd '" + folder().string() +
                                       "' && PATH=\"$PWD/bin:$PATH\" TMPDIR=\"$PWD/tmp\" "
                                       "timeout --preserve-status -s INT 1 '" PKVMEMU_BUILD_DIR
                                       "/bin/pkvm-emu' build mine"});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(result.err, "pkvm-emu: interrupted: nothing was written\n");
  EXPECT_FALSE(fs::exists(folder() / "mine.ko"));
  EXPECT_TRUE(fs::is_empty(folder() / "tmp"));
}

struct Mistake {
  std::string sentence;
  std::string arguments;
  int exit_code;
  std::string advice;

  friend void PrintTo(const Mistake& row, std::ostream* out) { *out << row.sentence; }
};
class BuildMistakes : public Mine, public testing::WithParamInterface<Mistake> {};

INSTANTIATE_TEST_SUITE_P(
    Author, BuildMistakes,
    testing::Values(Mistake{"Nothing", "build", 2, "nothing to build"},
                    Mistake{"FolderAndMore", "build mine mine/el1.c", 2, "built by itself"},
                    Mistake{"NoSuchSource", "build no.c --name a", 3, "no.c: no such file"},
                    Mistake{"NotASource", "build mine/README.md", 2, "expected a folder or C"},
                    Mistake{"OnlyEl2", "build mine/hyp/el2.c", 2, "no source of the EL1 half"},
                    Mistake{"UnknownKmi", "build mine --kmi android99", 2, "--kmi"},
                    Mistake{"WrongName", "build mine/el1.c --name a-b", 2, "cannot be a module's"},
                    Mistake{"FolderWithoutMakefile", "build mine/../mine/hyp/..//../.", 3,
                            "there is no Makefile"},
                    Mistake{"Unwritable", "build mine -o /nowhere/mine.ko", 3,
                            "/nowhere/mine.ko: cannot create"},
                    Mistake{"NotTheSdk", "build mine --sdk /etc", 3, "/etc: not the SDK"},
                    Mistake{"MissingEl2Symbol", "build mine/el1.c --name mine", 3,
                            "no EL2 source defines mine_"}),
    [](const auto& instance) { return instance.param.sentence; });

// A mistake on build's command line ends with its code and one piece of advice; nothing is written.
TEST_P(BuildMistakes, AreExplained) {
  const auto result = pkvm_emu(GetParam().arguments);
  EXPECT_EQ(result.exit_code, GetParam().exit_code) << result.err;
  EXPECT_THAT(result.err, AllOf(testing::StartsWith("pkvm-emu: "), HasSubstr(GetParam().advice)));
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 1);
}

}  // namespace
}  // namespace pkvmemu::test
