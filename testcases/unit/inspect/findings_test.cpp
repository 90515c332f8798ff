// SPDX-License-Identifier: GPL-2.0-only
// Every reason for which a load fails or goes wrong: for each a bad twin of a good module, which
// differs in one field, and the good module itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "ko_editor.h"

namespace pkvmemu::inspect {
namespace {

using image::SectionHeader;
using image::SymbolEntry;
using pkvm::Errno;
using testing::HasSubstr;

/// One bad twin: what is changed, and what must be said about it.
struct Twin {
  std::string name;
  std::function<KoEditor()> make;
  Level level;
  Errno error;
  std::string text;
  std::string advice;
};

const std::vector<Twin> twins = {
    {"UnknownGeneration",
     [] { return KoEditor::of("hello").replace_text("vermagic=6.6.77", "vermagic=5.9.99"); },
     Level::refused, Errno::enoexec, "of no known kernel", "build it for android14-6.1"},
    {"OtherConfiguration",
     [] { return KoEditor::of("hello").replace_text(" preempt mod_", " PREEMPT mod_"); },
     Level::phone, Errno::enoexec, "which GKI kernels compare", "GKI"},
    {"NoVersions", [] { return KoEditor::of("hello"); }, Level::phone, Errno::enoexec,
     "no __versions section", "kernel tree"},
    {"StructModuleOfAnotherSize",
     [] {
       return KoEditor::of("hello").section_field(".gnu.linkonce.this_module", &SectionHeader::size,
                                                  std::uint64_t{1472});
     },
     Level::note, Errno::none, "struct module is 1472 bytes", "configuration"},
    {"CommonSymbol",
     [] {
       return KoEditor::of("counter").symbol_field("__kvm_nvhe_counter_step", &SymbolEntry::section,
                                                   image::elf::index_common);
     },
     Level::refused, Errno::enoexec, "common symbols: __kvm_nvhe_counter_step", "-fno-common"},
    {"UnknownSymbol", [] { return KoEditor::of("hello").replace_text("_printk", "_drintk"); },
     Level::refused, Errno::enoent, "unknown symbols: _drintk", "dependency"},
    {"UndefinedAtEl2",
     [] {
       return KoEditor::of("counter").symbol_field("__kvm_nvhe_counter_step", &SymbolEntry::section,
                                                   std::uint16_t{0});
     },
     Level::refused, Errno::enoent, "its EL2 half does not define: counter_step",
     "before android16-6.12 EL2 code cannot import"},
    {"NoHypReloc", [] { return KoEditor::of("counter").rename_section(".hyp.reloc", ".hyp.rel"); },
     Level::refused, Errno::enoexec, "no .hyp.reloc", "gen-hyprel"},
    {"Misaligned",
     [] {
       return KoEditor::of("counter").section_field(".hyp.data", &SectionHeader::alignment,
                                                    std::uint64_t{64});
     },
     Level::refused, Errno::einval, ".hyp.data is aligned to 64 bytes", "linker script"},
    {"WideAlignment",
     [] {
       return KoEditor::of("counter").section_field(".hyp.text", &SectionHeader::alignment,
                                                    std::uint64_t{16384});
     },
     Level::note, Errno::none, "asks for an alignment of 16384 bytes, kernels keep 4096 at most",
     "at run time"},
    {"NotWholePages",
     [] {
       return KoEditor::of("counter").section_field(".hyp.bss", &SectionHeader::size,
                                                    std::uint64_t{0x123});
     },
     Level::broken, Errno::none, ".hyp.bss is 0x123 bytes, not whole pages", "linker script"},
    {"UnsupportedRelocation",
     [] { return KoEditor::of("counter").relocation_type(".hyp.text", 275, 311); }, Level::refused,
     Errno::enoexec, "type 311 at counter_hvc+0x30", "-fno-pic"},
    {"RelocationOutside",
     [] { return KoEditor::of("counter").relocation_offset(".hyp.text", 0xfffe); }, Level::refused,
     Errno::enoexec, "at .hyp.text+0xfffe", "damaged"},
    {"RelSection",
     [] {
       return KoEditor::of("counter").section_field(".rela.init.text", &SectionHeader::type,
                                                    image::elf::section_rel);
     },
     Level::refused, Errno::enoexec, ".init.text has REL relocations", "linker"},
    {"ForbiddenAtEl2",
     [] { return KoEditor::of("counter").relocation_type(".hyp.text", 277, 263); }, Level::broken,
     Errno::none, "R_AARCH64_MOVW_UABS_G0 at counter_hvc+", "-mcmodel=small"},
    {"UsesEl1Half",
     [] {
       return KoEditor::of("counter").symbol_field("__kvm_nvhe_counter_step", &SymbolEntry::section,
                                                   std::uint16_t{5});
     },
     Level::broken, Errno::none, "EL2 code uses parts of the EL1 half", "EL2 half"},
    {"ForgottenPointer",
     [] {
       return KoEditor::of("counter").section_field(".rela.hyp.reloc", &SectionHeader::size,
                                                    std::uint64_t{3 * 24});
     },
     Level::broken, Errno::none, "pointers that .hyp.reloc does not list", "gen-hyprel"},
    {"NeverLoaded",
     [] {
       return KoEditor::of("hello").replace_text("__pkvm_load_el2_module",
                                                 "__pkvm_load_xxx_module");
     },
     Level::note, Errno::none, "its EL2 half is never loaded", "pkvm_load_el2_module()"},
    {"NoKcfiUnderGki", [] { return KoEditor::of("nocfi"); }, Level::phone, Errno::none,
     "kCFI words are absent", "-fsanitize=kcfi"},
    {"EmptySections", [] { return KoEditor::of("hello"); }, Level::note, Errno::none,
     "brings the hypervisor down", "init"},
    {"NoEl2Half", [] { return KoEditor::of("noload"); }, Level::note, Errno::none, "no EL2 half",
     ""},
};

class Findings : public testing::TestWithParam<Twin> {};

// The one thing that is wrong is named with its errno, its weight, and what to do; only what keeps
// a module from loading makes the module one that would not load.
TEST_P(Findings, NamesWhatIsWrong) {
  const Twin& twin = GetParam();
  const Facts facts = twin.make().inspect();
  const Finding finding = finding_with(facts, twin.text);
  ASSERT_FALSE(finding.text.empty()) << to_text(facts, "twin.ko", Detail::everything, Colour::off);
  EXPECT_EQ(finding.level, twin.level);
  EXPECT_EQ(finding.error, twin.error);
  EXPECT_THAT(finding.advice, HasSubstr(twin.advice));
  if (twin.level <= Level::broken) EXPECT_FALSE(facts.would_load());
}

INSTANTIATE_TEST_SUITE_P(All, Findings, testing::ValuesIn(twins),
                         [](const auto& row) { return row.param.name; });

// Good modules of the build: nothing keeps them from loading, as their runs show.
TEST(FindingsOfGoodModules, NothingIsRefused) {
  for (const char* name : {"hello", "counter", "initfail", "calls", "memory", "manyhandlers",
                           "faulty", "el1fail", "noload", "nocfi"}) {
    const Facts facts = KoEditor::of(name).inspect();
    EXPECT_TRUE(facts.would_load()) << to_text(facts, name, Detail::everything, Colour::off);
  }
}

// EL2 imports that the compiler makes come with the advice that fits them.
TEST(FindingsOfEl2Imports, ExplainsCompilerCalls) {
  auto edited = KoEditor::of("counter");
  edited.symbol_field("__kvm_nvhe_counter_step", &SymbolEntry::section, std::uint16_t{0});
  // "counter_step" and its prefix make room for the other name.
  edited.replace_text(std::string("__kvm_nvhe_counter_step") + '\0',
                      std::string("__kvm_nvhe_memcpy") + std::string(7, '\0'));
  EXPECT_THAT(finding_with(edited.inspect(), "does not define: memcpy").advice,
              HasSubstr("ops->memcpy"));
}

// The worst comes first: what is refused before notes.
TEST(FindingsOrder, WorstFirst) {
  const Facts facts = KoEditor::of("hello").replace_text("_printk", "_drintk").inspect();
  ASSERT_GT(facts.findings.size(), 1U);
  EXPECT_EQ(facts.findings.front().level, Level::refused);
  for (std::size_t i = 1; i < facts.findings.size(); ++i)
    EXPECT_LE(facts.findings[i - 1].level, facts.findings[i].level);
}

}  // namespace
}  // namespace pkvmemu::inspect
