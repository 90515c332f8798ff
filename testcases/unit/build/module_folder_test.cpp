// SPDX-License-Identifier: GPL-2.0-only
// A module's folder: every layout that docs/building.md lists is read, and each mistake in one is
// answered with the file, the line and what to write.
#include "build/module_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "build/temp_dir.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ModuleFolder : public testing::Test {
 protected:
  /// Writes a file of the folder; sources may be empty.
  void put(const fs::path& name, std::string_view text = "") {
    fs::create_directories((folder() / name).parent_path());
    ASSERT_TRUE(write_file(folder() / name, text));
  }
  /// The usual layout of a module "demo".
  void usual() {
    put("el1.c");
    put("hyp/el2.c");
    put("Makefile", "obj-m := demo.o\ndemo-y := el1.o hyp/kvm_nvhe.o\n");
    put("hyp/Makefile", "hyp-obj-y := el2.o\n");
  }
  [[nodiscard]] fs::path folder() const { return directory_.path(); }
  [[nodiscard]] Result<ModuleSpec> read(std::optional<std::string> name = {}) const {
    return read_module_folder({.folder = folder(), .name = std::move(name)});
  }
  /// The error with the folder's path taken out.
  [[nodiscard]] std::string error() const {
    const auto spec = read();
    if (spec) return "(it was read)";
    std::string message = spec.error().message;
    const std::string prefix = folder().string() + "/";
    for (std::size_t at = 0; (at = message.find(prefix)) != std::string::npos;)
      message.erase(at, prefix.size());
    return message;
  }

 private:
  TempDir directory_ = TempDir::create().value();
};

// The documentation's layout: one source each, from two Makefiles.
TEST_F(ModuleFolder, TheUsualLayout) {
  usual();
  const auto spec = read();
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, "demo");
  EXPECT_THAT(spec->el1_sources, ElementsAre(folder() / "el1.c"));
  EXPECT_THAT(spec->el2_sources, ElementsAre(folder() / "hyp/el2.c"));
}

// The samples' own Makefiles name the same sources as the documentation says.
TEST_F(ModuleFolder, TheSamples) {
  for (const char* name : {"hello", "counter", "initfail", "pages", "dep_b"}) {
    const fs::path sample = fs::path(PKVMEMU_FIRMWARE) / "modules" / name;
    const auto spec = read_module_folder({.folder = sample});
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->name, name);
    EXPECT_THAT(spec->el1_sources, ElementsAre(sample / "el1.c"));
    EXPECT_THAT(spec->el2_sources, ElementsAre(sample / "hyp/el2.c"));
  }
}

// EL2 objects may be spelt as the kernel spells them, and added to.
TEST_F(ModuleFolder, SeveralEl2Objects) {
  usual();
  put("hyp/more.c");
  put("hyp/Makefile", "hyp-obj-y := el2.nvhe.o\nhyp-obj-y += more.o\n");
  const auto spec = read();
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_THAT(spec->el2_sources, ElementsAre(folder() / "hyp/el2.c", folder() / "hyp/more.c"));
}

// hyp-obj-y may stand in the module's own Makefile, with paths from there.
TEST_F(ModuleFolder, El2ObjectsInTheOneMakefile) {
  usual();
  put("Makefile", "obj-m := demo.o\ndemo-y := el1.o hyp/kvm_nvhe.o\nhyp-obj-y := hyp/el2.nvhe.o\n");
  const auto spec = read();
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_THAT(spec->el2_sources, ElementsAre(folder() / "hyp/el2.c"));
}

// A module of one source, without an EL2 half, and with a name that the kernel spells otherwise.
TEST_F(ModuleFolder, AnOrdinaryModule) {
  put("my-driver.c");
  put("Kbuild", "obj-m += my-driver.o\n");
  const auto spec = read();
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, "my_driver");
  EXPECT_THAT(spec->el1_sources, ElementsAre(folder() / "my-driver.c"));
  EXPECT_THAT(spec->el2_sources, IsEmpty());
}

// ccflags-y belongs to the half whose Makefile has it; the kernel's own headers are the SDK's.
TEST_F(ModuleFolder, Flags) {
  usual();
  put("Makefile",
      "obj-m := demo.o\ndemo-y := el1.o hyp/kvm_nvhe.o\n"
      "ccflags-y := -I$(src)/include -DA=1 -D B -Wno-unused\n"
      "ccflags-y += -I$(srctree)/arch/arm64/kvm/hyp/include\n");
  put("hyp/Makefile", "hyp-obj-y := el2.o\nccflags-y := -I $(src)/../include\n");
  const auto spec = read();
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_THAT(spec->el1_flags.include_directories, ElementsAre(folder() / "include"));
  EXPECT_THAT(spec->el1_flags.defines, ElementsAre("A=1", "B"));
  EXPECT_THAT(spec->el1_flags.options, ElementsAre("-Wno-unused"));
  EXPECT_THAT(spec->el2_flags.include_directories, ElementsAre(folder() / "hyp/../include"));
  EXPECT_THAT(spec->el2_flags.defines, IsEmpty());
}

// Of several modules --name chooses; without it they are listed.
TEST_F(ModuleFolder, SeveralModules) {
  put("a.c");
  put("b-c.c");
  put("Makefile", "obj-m := a.o b-c.o\n");
  EXPECT_EQ(error(), "Makefile: it lists several modules (a, b-c): choose one with --name");
  const auto spec = read("b_c");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, "b_c");
  EXPECT_THAT(read("d").error().message, HasSubstr("obj-m lists no d.o"));
}

// An empty folder, and one that only has Bazel's file, get different advice: for the latter the
// command that builds it.
TEST_F(ModuleFolder, NoMakefile) {
  EXPECT_THAT(error(), HasSubstr("there is no Makefile; 'pkvm-emu new NAME' writes"));
  put("BUILD.bazel", "# nothing here\n");
  EXPECT_THAT(error(), HasSubstr("BUILD.bazel is not read: name the sources"));
  EXPECT_THAT(error(), HasSubstr("pkvm-emu build --name NAME"));
  put("el1.c");
  put("hyp/el2.c");
  put("BUILD.bazel", "ddk_module(\n    out = \"my-driver.ko\",\n)\n");
  EXPECT_THAT(error(), HasSubstr("pkvm-emu build el1.c hyp/el2.c --name my_driver;"));
}

struct Mistake {
  std::string sentence;
  std::string file;
  std::string text;
  std::string answer;

  friend void PrintTo(const Mistake& row, std::ostream* out) { *out << row.sentence; }
};
class Mistakes : public ModuleFolder, public testing::WithParamInterface<Mistake> {};

const std::string start = "obj-m := demo.o\ndemo-y := el1.o hyp/kvm_nvhe.o\n";

INSTANTIATE_TEST_SUITE_P(
    ModuleFolder, Mistakes,
    testing::Values(
        Mistake{"NoModule", "Makefile", "demo-y := el1.o\n",
                "Makefile: it lists no module: expected a line like 'obj-m := NAME.o'"},
        Mistake{"MissingSource", "Makefile", "obj-m := demo.o\ndemo-y := el1.o\ndemo-y += no.o\n",
                "Makefile:3: no.o is listed, but there is no no.c"},
        Mistake{"MissingEl2Source", "hyp/Makefile", "hyp-obj-y := el3.o\n",
                "hyp/Makefile:1: el3.o is listed, but there is no hyp/el3.c"},
        Mistake{"NotAnObject", "Makefile", "obj-m := demo.o\ndemo-y := el1.c\n",
                "Makefile:2: el1.c is not an object: expected NAME.o"},
        Mistake{"ForgottenEl2Half", "Makefile", "obj-m := demo.o\ndemo-y := el1.o\n",
                "Makefile: hyp/Makefile exists, but no line adds hyp/kvm_nvhe.o to demo-y, so the "
                "module would have no EL2 half"},
        Mistake{"NoEl2Sources", "hyp/Makefile", "hyp-objs := el2.o\n",
                "hyp/Makefile: it lists no EL2 source: expected a line like 'hyp-obj-y := el2.o'"},
        Mistake{
            "OtherFlags", "Makefile", start + "ccflags-y := -fno-builtin\n",
            "Makefile:3: ccflags-y: -fno-builtin is not supported; supported are -I, -D and -W"},
        Mistake{
            "FlagsOfOneObject", "Makefile", start + "CFLAGS_el1.o := -DX\n",
            "Makefile:3: CFLAGS_el1.o: options for one object are not supported: use ccflags-y"},
        Mistake{"BuiltIn", "Makefile", start + "obj-y := more.o\n",
                "Makefile:3: obj-y: only modules are built: use obj-m"},
        Mistake{"OtherInclude", "Makefile", start + "include common.mk\n",
                "Makefile:3: include of common.mk is not followed: write its lines here"},
        Mistake{"Subfolder", "Makefile", "obj-m := sub/\n",
                "Makefile:1: obj-m: sub/ is not an object: expected NAME.o; subfolders are built "
                "one at a time"}),
    [](const auto& instance) { return instance.param.sentence; });

// A mistake in a folder that is otherwise good is answered with its place and what to do.
TEST_P(Mistakes, AreNamed) {
  usual();
  put(GetParam().file, GetParam().text);
  EXPECT_EQ(error(), GetParam().answer);
}

}  // namespace
}  // namespace pkvmemu::build
