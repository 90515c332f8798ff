// SPDX-License-Identifier: GPL-2.0-only
// Building modules: same bytes each time, generations' kCFI, and messages that help when a source
// is wrong.
#include "build/module_builder.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support.h"

namespace pkvmemu::build {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;

// Two builds of one source give the same bytes, whatever their temporary folders are called.
TEST_F(BuilderTest, SameSourcesGiveTheSameBytes) {
  const ModuleSpec demo = spec(demo_el1, demo_el2);
  EXPECT_EQ(build_module(demo).value().image, build_module(demo).value().image);
}

// Where the sources lie does not show in the module either.
TEST_F(BuilderTest, SourceFolderDoesNotShow) {
  const std::string warning = "void check(int x);\nvoid check(int x) { WARN_ON(x); }\n";
  ModuleSpec demo = spec(demo_el1, std::string(demo_el2) + warning);
  const Bytes here = build_module(demo).value().image;
  std::filesystem::create_directory(directory_.path() / "elsewhere");
  demo.el1_sources = {source("elsewhere/el1.c", demo_el1)};
  demo.el2_sources = {source("elsewhere/el2.c", std::string(demo_el2) + warning)};
  EXPECT_EQ(build_module(demo).value().image, here);
}

// A different source gives different bytes: the comparison above can fail.
TEST_F(BuilderTest, OtherSourcesGiveOtherBytes) {
  const Bytes first = build_module(spec(demo_el1, demo_el2)).value().image;
  const Bytes second =
      build_module(spec(demo_el1, std::string(demo_el2) + "int more = 3;\n")).value().image;
  EXPECT_NE(first, second);
}

// Nothing of the build's own folder is left when it is over.
TEST_F(BuilderTest, ModuleDoesNotNameTheTemporaryFolder) {
  const Bytes image = build_module(spec(demo_el1, demo_el2)).value().image;
  const std::string text(reinterpret_cast<const char*>(image.data()), image.size());
  EXPECT_THAT(text, Not(HasSubstr("pkvm-modbuild-")));
}

// The three flavours of kCFI put the documented words before the EL2 entry points (none for off).
TEST_F(BuilderTest, CfiFlavoursHashAsTheirGenerationsDo) {
  ModuleSpec demo = spec(demo_el1, demo_el2);
  const ObjectFile by_default = build(demo);
  EXPECT_EQ(word_before(by_default, "__kvm_nvhe_demo_hyp_init"), 0xc382d712);
  demo.cfi = Cfi::normalised;
  const ObjectFile normalised = build(demo);
  EXPECT_EQ(word_before(normalised, "__kvm_nvhe_demo_hyp_init"), 0xf175f853);
  EXPECT_EQ(word_before(normalised, "__kvm_nvhe_demo_hvc"), 0x878c2790);
  demo.cfi = Cfi::off;
  const ObjectFile off = build(demo);
  EXPECT_EQ(off.find_defined_symbol("__kvm_nvhe_demo_hvc")->value, 0);
}

/// All instructions of a code section.
std::vector<std::uint32_t> instructions(const ObjectFile& module, std::string_view section) {
  const std::span<const std::byte> data = module.find_section(section)->data;
  std::vector<std::uint32_t> words(data.size() / sizeof(std::uint32_t));
  std::memcpy(words.data(), data.data(), words.size() * sizeof(std::uint32_t));
  return words;
}

// Functions that call others sign their return address, at both levels, as GKI's do.
TEST_F(BuilderTest, ReturnAddressesAreSigned) {
  constexpr std::uint32_t paciasp = 0xd503233f;
  constexpr std::uint32_t autiasp = 0xd50323bf;
  const ObjectFile module = build(spec(demo_el1, std::string(demo_el2) + R"(
void call(const struct pkvm_module_ops *ops);
void call(const struct pkvm_module_ops *ops) { ops->putx64(1); ops->putx64(2); }
)"));
  for (const std::string_view section : {".hyp.text", ".init.text"})
    EXPECT_THAT(instructions(module, section), IsSupersetOf({paciasp, autiasp})) << section;
}

// Several sources of each half become one module.
TEST_F(BuilderTest, SourcesOfOneHalfSeeEachOther) {
  ModuleSpec demo = spec(demo_el1, demo_el2);
  demo.el2_sources = {source("a.c", R"(
#include <asm/kvm_pkvm_module.h>
int helper(void);
void demo_hvc(struct user_pt_regs *regs) { cpu_reg(regs, 0) = 0; }
int demo_hyp_init(const struct pkvm_module_ops *ops) { return helper(); }
)"),
                      source("b.c", "int helper(void);\nint helper(void) { return 0; }\n")};
  const ObjectFile module = build(demo);
  EXPECT_NE(module.find_defined_symbol("__kvm_nvhe_helper"), nullptr);
}

// Defines and include folders reach the compiler in both halves.
TEST_F(BuilderTest, DefinesAndIncludeFoldersReachTheCompiler) {
  std::filesystem::create_directory(directory_.path() / "own");
  source("own/own.h", "#define OWN 1\n");
  const std::string both = "#include <own.h>\n#if OWN != 1 || GIVEN != 42\n#error\n#endif\n";
  ModuleSpec demo = spec(both + std::string(demo_el1), both + std::string(demo_el2));
  EXPECT_THAT(build_error(demo), HasSubstr("own.h"));
  demo.include_directories = {directory_.path() / "own"};
  demo.defines = {"GIVEN=42"};
  EXPECT_TRUE(build_module(demo));
}

// A pointer in each kind of EL2 data is found: .data, .rodata, and one to another section.
TEST_F(BuilderTest, PointersInAllEl2DataAreListed) {
  const ObjectFile module = build(spec(demo_el1, std::string(demo_el2) + R"(
static int hidden;
int *writable = &hidden;
void (*const fixed)(struct user_pt_regs *) = demo_hvc;
)"));
  EXPECT_THAT(relocations_of(module, ".hyp.reloc"), SizeIs(2));
}

// WARN_ON at EL2 is a BRK with a record in __bug_table, which a loader must not relocate for EL2.
TEST_F(BuilderTest, WarningsAtEl2AreListedInTheBugTableOnly) {
  const ObjectFile module = build(spec(demo_el1, std::string(demo_el2) + R"(
void check(struct user_pt_regs *regs);
void check(struct user_pt_regs *regs) { WARN_ON(regs->regs[1]); }
)"));
  const Section* table = module.find_section("__bug_table");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->size, 12);
  EXPECT_THAT(relocations_of(module, ".hyp.reloc"), IsEmpty());
}

// Every call form up to seven arguments compiles, with and without a place for the result.
TEST_F(BuilderTest, CallMacrosTakeUpToSevenArguments) {
  EXPECT_TRUE(build_module(spec(std::string(demo_el1) + R"(
unsigned long use(int id);
unsigned long use(int id)
{
	struct arm_smccc_res res;
	arm_smccc_1_1_smc(0x84000000, NULL);
	arm_smccc_1_1_hvc(1, 2, 3, 4, 5, 6, 7, 8, &res);
	return res.a3 + pkvm_el2_mod_call(id) + pkvm_el2_mod_call(id, 1) +
	       pkvm_el2_mod_call(id, 1, 2, 3, 4, 5, 6, 7);
}
)",
                                demo_el2)));
}

// A warning is reported without stopping the build, unless asked for.
TEST_F(BuilderTest, WarningsAreReportedOrFatal) {
  ModuleSpec demo =
      spec(demo_el1, std::string(demo_el2) + "static int unused(void) { return 1; }\n");
  const Result<BuiltModule> lenient = build_module(demo);
  ASSERT_TRUE(lenient) << lenient.error().message;
  EXPECT_THAT(lenient->messages, HasSubstr("unused function"));
  demo.warnings = Warnings::fatal;
  EXPECT_THAT(build_error(demo), HasSubstr("unused function"));
}

// A compiler error comes with the compiler's words and the source's name.
TEST_F(BuilderTest, SourceThatDoesNotCompileIsReported) {
  EXPECT_THAT(build_error(spec(demo_el1, "int broken(\n")),
              AllOf(HasSubstr("compiling"), HasSubstr("el2.c:"), HasSubstr("error:")));
}

// A missing source is named before anything runs.
TEST_F(BuilderTest, MissingSourceIsNamed) {
  ModuleSpec demo = spec(demo_el1, demo_el2);
  demo.el2_sources = {"nowhere/el2.c"};
  EXPECT_EQ(build_error(demo), "nowhere/el2.c: no such file");
}

// An SDK that is not there, or has no such generation, is not taken for an empty one.
TEST_F(BuilderTest, MissingSdkIsNamed) {
  ModuleSpec demo = spec(demo_el1, demo_el2);
  demo.sdk = directory_.path();
  EXPECT_THAT(build_error(demo), HasSubstr("not the SDK"));
  std::filesystem::create_directory(directory_.path() / "include");
  EXPECT_THAT(build_error(demo), HasSubstr("android15-6.6: the SDK in"));
}

// Names that the kernel could not hold, or that break out of the descriptor's text, are refused.
TEST_F(BuilderTest, UnusableNamesAreRefused) {
  ModuleSpec demo = spec(demo_el1, demo_el2);
  for (const std::string& name :
       {std::string(), std::string("two words"), std::string("a\"b"), std::string(56, 'x')}) {
    demo.name = name;
    EXPECT_THAT(build_error(demo), HasSubstr("cannot be a module's name")) << name;
  }
  demo.name = std::string(55, 'x');
  EXPECT_TRUE(build_module(demo));
}

// A kernel function called at EL2 is an error here, not at load time on a phone.
TEST_F(BuilderTest, KernelFunctionAtEl2IsRefused) {
  EXPECT_THAT(build_error(spec(demo_el1, std::string(demo_el2) + R"(
extern void kernel_function(void);
void use(void);
void use(void) { kernel_function(); }
)")),
              AllOf(HasSubstr("refers to kernel_function"), HasSubstr("do not exist at EL2")));
}

// printk at EL2 says what to use instead.
TEST_F(BuilderTest, PrintkAtEl2IsRefused) {
  EXPECT_THAT(
      build_error(spec(demo_el1, "#include <linux/printk.h>\n" + std::string(demo_el2) +
                                     "void say(void);\nvoid say(void) { pr_info(\"x\"); }")),
      HasSubstr("use ops->puts"));
}

// The EL1 half may only name EL2 symbols that exist.
TEST_F(BuilderTest, UnknownEl2SymbolIsNamed) {
  EXPECT_THAT(
      build_error(spec(std::string(demo_el1) + R"(
extern int kvm_nvhe_sym(misspelt);
int use(void);
int use(void) { return kvm_nvhe_sym(misspelt); }
)",
                       demo_el2)),
      HasSubstr("EL1 code refers to __kvm_nvhe_misspelt, but no EL2 source defines misspelt"));
}

// Two definitions of one symbol: the linker's words, with the sources' names.
TEST_F(BuilderTest, SymbolClashIsReported) {
  ModuleSpec demo = spec(demo_el1, demo_el2);
  demo.el2_sources.push_back(source("twin.c", demo_el2));
  EXPECT_THAT(build_error(demo), AllOf(HasSubstr("duplicate symbol: demo_hvc"), HasSubstr("el2.c"),
                                       HasSubstr("twin.c")));
}

/// One instruction with the relocation that `specifier` asks for.
std::string relocated(std::string_view instruction) {
  return std::string(demo_el2) + "static int target;\nvoid use(void);\n" +
         "void use(void) { __asm__ volatile(\"" + std::string(instruction) +
         "\" : : \"S\"(&target) : \"x0\"); }\n";
}

// Absolute addresses in instructions cannot be moved to EL2: the place and the type are named.
TEST_F(BuilderTest, AbsoluteAddressInAnInstructionIsRefused) {
  EXPECT_THAT(build_error(spec(demo_el1, relocated("movz x0, #:abs_g3:%0"))),
              AllOf(HasSubstr(".hyp.text+0x"), HasSubstr("R_AARCH64_MOVW_UABS_G3 (269)"),
                    HasSubstr("cannot be used at EL2")));
}

// Its good twin: a page-relative address is right wherever the module lies.
TEST_F(BuilderTest, PageRelativeAddressIsAccepted) {
  const ObjectFile module =
      build(spec(demo_el1, relocated("adrp x0, %0\\n\\tadd x0, x0, #:lo12:%0")));
  EXPECT_THAT(relocations_of(module, ".hyp.reloc"), IsEmpty());
}

// A GOT does not exist in a module.
TEST_F(BuilderTest, GotAccessIsRefused) {
  EXPECT_THAT(build_error(spec(demo_el1, relocated("adrp x0, :got:%0"))),
              HasSubstr("R_AARCH64_ADR_GOT_PAGE (311)"));
}

// A handler that EL2 defines as another type than EL1 declares: a kernel build says nothing, and
// the hypervisor panics; here it is a warning. 6.1 has no kCFI at EL2, and such a handler works
// there.
TEST_F(BuilderTest, HandlerOfAnotherTypeIsAWarning) {
  const std::string other_type = R"(
#include <asm/kvm_pkvm_module.h>
u64 demo_hvc(void *regs) { return 0; }
int demo_hyp_init(const struct pkvm_module_ops *ops) { return 0; }
)";
  ModuleSpec specification = spec(demo_el1, other_type);
  const auto warned = build_module(specification);
  ASSERT_TRUE(warned) << warned.error().message;
  EXPECT_THAT(warned->messages,
              HasSubstr("warning: demo: demo_hvc has another type at EL2 than EL1 declares"));
  EXPECT_THAT(warned->messages, Not(HasSubstr("demo_hyp_init")));
  specification.warnings = Warnings::fatal;
  EXPECT_THAT(build_error(specification), HasSubstr("demo_hvc has another type at EL2"));

  ModuleSpec unchecked = demo(pkvm::Generation::android14_6_1);
  unchecked.el2_sources = {source("other.c", other_type)};
  EXPECT_EQ(build_module(unchecked).value().messages, "");
  EXPECT_EQ(build_module(spec(demo_el1, demo_el2)).value().messages, "");
}

// Of the modules that are offered, the one whose symbol is imported becomes a dependency; the other
// one does not, and a name does in any case.
TEST_F(BuilderTest, ImportsDecideWhatItDependsOn) {
  ModuleSpec specification = spec(
      "#include <linux/module.h>\nint far_away(void);\n"
      "static int __init demo_init(void) { return far_away(); }\n"
      "module_init(demo_init);\nMODULE_LICENSE(\"GPL\");\n",
      demo_el2);
  specification.el2_sources.clear();
  specification.others = {{.name = "unused", .exports = {"near_by"}},
                          {.name = "far", .exports = {"near_by", "far_away"}}};
  const auto built = build_module(specification);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(built->notes, "");
  EXPECT_THAT(strings_of(build(specification), ".modinfo"), Contains(std::string("depends=far")));
  specification.depends = {"named"};
  EXPECT_THAT(strings_of(build(specification), ".modinfo"),
              Contains(std::string("depends=named,far")));
}

// An import that nobody is known to export is told at once; a module that is only named may have
// it.
TEST_F(BuilderTest, ImportsWithoutAnExporterAreNamed) {
  ModuleSpec specification = spec(
      "#include <linux/module.h>\nint far_away(void);\nint off(void);\n"
      "static int __init demo_init(void) { return far_away() + off(); }\n"
      "module_init(demo_init);\nMODULE_LICENSE(\"GPL\");\n",
      demo_el2);
  specification.el2_sources.clear();
  EXPECT_EQ(build_module(specification).value().notes,
            "warning: demo: the kernel here does not export far_away, off: if another module does, "
            "give it with --depends FILE.ko; otherwise the load will fail\n");
  specification.depends = {"named"};
  EXPECT_EQ(build_module(specification).value().notes, "");
}

}  // namespace
}  // namespace pkvmemu::build
