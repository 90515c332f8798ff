// SPDX-License-Identifier: GPL-2.0-only
// Modules as vendors ship them: good modules of the build given the traits of production files
// (pkvm-abi.md 2.2), which run as before, and files for other kernels, which are refused with
// advice.
#include <fmt/format.h>

#include <fstream>

#include "every_generation.h"
#include "harness/elf_patch.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A copy of a module, to be changed step by step; its file name stays.
class Production {
 public:
  explicit Production(const std::string& file)
      : path_(directory_.path() / std::filesystem::path(file).filename()) {
    std::filesystem::copy_file(file, path_);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

  Production& objcopy(Arguments options) {
    options.insert(options.begin(), "llvm-objcopy-19");
    options.push_back(path());
    return run(options);
  }
  /// Linked once more, by a script for sections; `programs` says by what.
  Production& relink(Arguments command, std::string_view script) {
    const std::filesystem::path lds = directory_.path() / "script.lds";
    std::ofstream(lds) << script;
    const std::string in = path() + ".in";
    std::filesystem::rename(path_, in);
    command.insert(command.end(), {"-r", "-T", lds.string(), in, "-o", path()});
    return run(command);
  }
  /// The table for one section under the name of another's.
  Production& rename_relocations(std::string_view of, std::string_view as) {
    ElfPatch patch(content());
    const auto name = patch.section_of(fmt::format(".rela{}", as)).name;
    patch.section(fmt::format(".rela{}", of), &image::SectionHeader::name, name);
    return replace(patch.bytes());
  }
  Production& flags(std::string_view section, std::uint64_t flags) {
    ElfPatch patch(content());
    patch.section(section, &image::SectionHeader::flags, flags);
    return replace(patch.bytes());
  }
  Production& vermagic(std::string_view value) {
    const std::string file = directory_.path() / "modinfo";
    const std::string name = path_.stem().string();
    std::ofstream(file, std::ios::binary)
        << "license=GPL v2" << '\0' << "name=" << name << '\0' << "vermagic=" << value << '\0';
    return objcopy({"--update-section=.modinfo=" + file});
  }
  Production& append(std::string_view text) {
    std::ofstream(path_, std::ios::binary | std::ios::app) << text;
    return *this;
  }

 private:
  Production& run(const Arguments& command) {
    const ProcessResult result = run_process(command);
    if (result.exit_code != 0) throw std::runtime_error(result.out + result.err);
    return *this;
  }
  [[nodiscard]] Bytes content() const { return read_file(path_).value(); }
  Production& replace(const Bytes& bytes) {
    if (!write_file(path_, bytes)) throw std::runtime_error("not written: " + path());
    return *this;
  }

  ScratchDirectory directory_;
  std::filesystem::path path_;
};

nlohmann::json inspect(const std::string& path) {
  const auto result = run_process({PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "inspect", "--json", path});
  return nlohmann::json::parse(result.out, nullptr, false);
}

std::vector<std::string> traits_of(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& trait : inspect(path).at("traits"))
    names.push_back(trait.at("name"));
  return names;
}

std::string reason_of(const EmulatorRun& run) {
  return run.report.at("modules").at(0).at("reason").get<std::string>();
}

class ProductionFiles : public GenerationTest {
 protected:
  /// It loads, its handler answers as that of the file it was made from, and nothing is amiss.
  static void expect_works(const Production& module) {
    const auto run = run_on_both({module.path(), "--call", "128:1,2"});
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_EQ(x(run, 0, 1), "0x3");
    EXPECT_EQ(inspect(module.path()).at("would_load"), true);
  }
};

constexpr std::uint64_t flag_write = image::elf::flag_write;
constexpr std::uint64_t flag_alloc = image::elf::flag_alloc;

// EL2 relocations under the names of EL1's: sh_info alone decides what is patched.
TEST_P(ProductionFiles, RelocationsUnderOtherNames) {
  holds("2.2/rela_by_sh_info", id());
  Production module(own("hello"));
  module.rename_relocations(".hyp.text", ".init.text");
  EXPECT_THAT(traits_of(module.path()), Contains("relocations under other names"));
  expect_works(module);
}

// Stripped of debug information, or of every symbol that no relocation needs.
TEST_P(ProductionFiles, Stripped) {
  holds("2.2/stripped", id());
  Production no_debug(own("hello"));
  no_debug.objcopy({"--strip-debug"});
  EXPECT_THAT(traits_of(no_debug.path()), Contains("no debug information"));
  expect_works(no_debug);
  Production unneeded(own("hello"));
  unneeded.objcopy({"--strip-unneeded"});
  EXPECT_THAT(traits_of(unneeded.path()), Contains("no local symbols"));
  expect_works(unneeded);
}

// Without any symbol table a kernel cannot link it either; the message says how to strip instead.
TEST_P(ProductionFiles, WithoutSymbolsIsRefused) {
  Production module(own("hello"));
  module.objcopy({"--strip-all"});
  for (const std::string command : {"run", "inspect"}) {
    const auto result = run_process({PKVMEMU_BUILD_DIR "/bin/pkvm-emu", command, module.path()});
    EXPECT_EQ(result.exit_code, 3) << command;
    EXPECT_THAT(result.err, HasSubstr("--strip-debug")) << command;
  }
}

// Read-only EL2 data with merge flags, or without: nothing is merged.
TEST_P(ProductionFiles, MergeFlags) {
  Production module(own("hello"));
  module.flags(".hyp.rodata", flag_alloc | image::elf::flag_merge | image::elf::flag_strings);
  EXPECT_THAT(traits_of(module.path()), Contains("merge flags at EL2"));
  expect_works(module);
  module.flags(".hyp.rodata", flag_alloc);
  EXPECT_THAT(traits_of(module.path()), Not(Contains("merge flags at EL2")));
  expect_works(module);
}

// Only .hyp.text has content; the empty sections beside it have flags that they would not have with
// any: constants may be written, data may not.
TEST_P(ProductionFiles, OnlyTextAndEmptySectionsWithOddFlags) {
  Production module(own("calls"));
  module.flags(".hyp.rodata", flag_alloc | flag_write).flags(".hyp.data", flag_alloc);
  EXPECT_THAT(traits_of(module.path()),
              AllOf(Contains("EL2 code only"), Contains("odd flags at EL2")));
  const auto run = run_on_both({module.path(), "--call", "calls_hvc:1,2"});
  const auto good = run_emulator({own("calls"), "--call", "calls_hvc:1,2"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.console, good.console);
  EXPECT_EQ(run.report.at("calls"), good.report.at("calls"));
  module.flags(".hyp.rodata", flag_alloc).flags(".hyp.data", flag_alloc | flag_write);
  EXPECT_THAT(traits_of(module.path()), Not(Contains("odd flags at EL2")));
}

// Good twin of all traits: a file of our own build has none but what its compiler did.
TEST_P(ProductionFiles, OwnFilesHaveNone) {
  EXPECT_THAT(traits_of(own("counter")), ElementsAre("merge flags at EL2", "no debug information"));
}

// Sections in an order that no kernel's script makes, and EL1 code in sections of single functions:
// what is where comes from the headers.
TEST_P(ProductionFiles, SectionsInAnotherOrder) {
  Production module(own("hello"));
  std::string script =
      "SECTIONS {\n .gnu.linkonce.this_module 0 : { *(.gnu.linkonce.this_module) }\n";
  for (const std::string_view name : {".hyp.data", ".hyp.rodata", ".hyp.bss"})
    script += fmt::format("  {0} 0 : ALIGN(4096) {{ *({0}) . = ALIGN(4096); }}\n", name);
  script +=
      " .hyp.reloc 0 : { *(.hyp.reloc) }\n .init.text 0 : { *(.init.text) }\n"
      " .hyp.text 0 : { *(.hyp.text) }\n .modinfo 0 : { *(.modinfo) }\n}\n";
  module.objcopy({"--rename-section=.init.text=.text.unsorted"}).relink({"ld.lld-19"}, script);
  EXPECT_THAT(traits_of(module.path()), Contains("sections of single functions or variables"));
  EXPECT_THAT(traits_of(module.path()), Contains("sections in another order"));
  expect_works(module);
}

// A signature behind the file is no part of it.
TEST_P(ProductionFiles, Signed) {
  Production module(own("hello"));
  module.append("0123456789" + std::string(40, '\0') + "~Module signature appended~\n");
  EXPECT_EQ(inspect(module.path()).at("signed"), true);
  expect_works(module);
}

// Compressed as distributions ship modules: run, inspected and called by its name all the same.
TEST_P(ProductionFiles, Compressed) {
  const ScratchDirectory scratch;
  for (const auto& [program, suffix] : {std::pair{"gzip", ".gz"}, std::pair{"xz", ".xz"}}) {
    const std::filesystem::path plain = scratch.path() / "hello.ko";
    std::filesystem::copy_file(own("hello"), plain,
                               std::filesystem::copy_options::overwrite_existing);
    ASSERT_EQ(run_process({program, "-f", plain.string()}).exit_code, 0);
    const std::string packed = plain.string() + suffix;
    EXPECT_EQ(inspect(packed).at("name"), "hello");
    const auto run = run_on_both({packed, "--call", "128:1,2"});
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_EQ(x(run, 0, 1), "0x3");
  }
}

/// hello linked for a kernel with pages of `size` bytes.
void link_for_pages(Production& module, std::uint64_t size) {
  std::string script = "SECTIONS {\n";
  for (const std::string_view name : {".hyp.text", ".hyp.bss", ".hyp.rodata", ".hyp.data"})
    script += fmt::format("  {0} 0 : ALIGN({1}) {{ *({0}) . = ALIGN({1}); }}\n", name, size);
  module.relink({"ld.lld-19"}, script + "}\n");
}

// Linked for a kernel with 16 or 64 KiB pages: refused by run and inspect alike, with the reason
// and with what to do; the kernel goes on without it.
TEST_P(ProductionFiles, LargerPagesAreRefused) {
  holds("2.2/pages_of_16k", id());
  for (const std::uint64_t size : {16384U, 65536U}) {
    Production module(own("hello"));
    link_for_pages(module, size);
    const auto run = run_on_both({module.path()});
    EXPECT_EQ(run.process.exit_code, 10);
    EXPECT_EQ(run.report.at("modules").at(0).at("error"), -8);
    EXPECT_THAT(reason_of(run), HasSubstr(fmt::format("aligned to {} bytes", size)));
    EXPECT_THAT(reason_of(run), HasSubstr("build it for 4 KiB pages"));
    EXPECT_TRUE(run.report.at("deprivileged").get<bool>());
    const auto facts = inspect(module.path());
    EXPECT_EQ(facts.at("el2_page_size"), size);
    EXPECT_EQ(facts.at("would_load"), false);
    EXPECT_THAT(facts.at("findings").at(0).at("text").get<std::string>(),
                HasSubstr(fmt::format("a kernel with {} KiB pages", size / 1024)));
  }
}

// Good twin: one variable that asks for more than a page does not make it another kernel's.
TEST_P(ProductionFiles, OneWideAlignmentIsNotALargerPage) {
  Production module(own("hello"));
  module.objcopy({"--set-section-alignment=.hyp.bss=16384"});
  EXPECT_EQ(inspect(module.path()).at("el2_page_size"), 4096);
  expect_works(module);
}

INSTANTIATE_TEST_SUITE_P(Generations, ProductionFiles, testing::ValuesIn(pkvm::generations),
                         generation_slug);

// A module of android14-5.15 runs as one of android14-6.1, and everyone who looks is told.
TEST(OtherKernels, AStandInRunsWithAWarning) {
  Production module(pkvmemu::test::module("android14-6.1/hello"));
  module.vermagic("5.15.149-android14-11 SMP preempt mod_unload modversions aarch64");
  const auto run = run_emulator({module.path(), "--call", "128:1,2"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(run.report.at("calls").at(0).at("result").at(1), "0x3");
  EXPECT_THAT(run.process.err, HasSubstr("built for android14-5.15, runs as a module of "
                                         "android14-6.1"));
  EXPECT_THAT(run.console, Contains("WARNING: hello: built for android14-5.15, loaded as one of "
                                    "android14-6.1: the operations that it has lie in the same "
                                    "slots"));
  const auto facts = inspect(module.path());
  EXPECT_EQ(facts.at("built_for"), "android14-5.15");
  EXPECT_EQ(facts.at("generation"), "android14-6.1");
  EXPECT_EQ(facts.at("would_load"), true);
}

// The same file beside one of android15-6.6: one run has one kernel.
TEST(OtherKernels, AStandInKeepsItsGeneration) {
  Production module(pkvmemu::test::module("android14-6.1/hello"));
  module.vermagic("5.15.149-android14-11 SMP preempt mod_unload modversions aarch64");
  const auto run = run_emulator({module.path(), pkvmemu::test::module("counter")});
  EXPECT_EQ(run.process.exit_code, 3);
  EXPECT_THAT(run.process.err, HasSubstr("one run has one kernel"));
}

// Bad twins: a kernel that loads no EL2 modules, and one that nobody knows.
TEST(OtherKernels, AreRefused) {
  for (const auto& [vermagic, reason] :
       {std::pair{"5.10.198-android13-4 SMP preempt", "5.10 kernels load no EL2 modules"},
        std::pair{"4.19.1 SMP preempt", "no known kernel"}}) {
    Production module(pkvmemu::test::module("android14-6.1/hello"));
    module.vermagic(vermagic);
    const auto run = run_emulator({module.path()});
    EXPECT_EQ(run.process.exit_code, 3) << vermagic;
    EXPECT_THAT(run.process.err, HasSubstr(reason));
    EXPECT_THAT(run.process.err, HasSubstr("android14-5.15")) << "what can be run is listed";
    const auto facts = inspect(module.path());
    EXPECT_EQ(facts.at("would_load"), false);
    EXPECT_THAT(facts.at("findings").at(0).at("text").get<std::string>(), HasSubstr(reason));
  }
}

}  // namespace
}  // namespace pkvmemu::test
