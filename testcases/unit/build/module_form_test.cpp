// SPDX-License-Identifier: GPL-2.0-only
// The modules of this build against the form that kernel builds give theirs (pkvm-abi.md 2.2 to
// 2.5), row by row.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "build/kmi.h"
#include "build/object_file.h"
#include "pkvm/generation.h"
#include "support.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::uint64_t a = SHF_ALLOC;
constexpr std::uint64_t ax = SHF_ALLOC | SHF_EXECINSTR;
constexpr std::uint64_t wa = SHF_ALLOC | SHF_WRITE;
constexpr std::uint64_t ams = SHF_ALLOC | SHF_MERGE | SHF_STRINGS;

/// Table 2.2, column 6.6, in its order. Empty sections may also have the flags of the last column.
struct FormRow {
  std::string_view name;
  std::uint32_t type;
  std::array<std::uint64_t, 2> flags;
  std::array<std::uint64_t, 2> flags_when_empty;
  std::uint64_t alignment;
};
constexpr std::array form_rows = {
    FormRow{".hyp.text", SHT_PROGBITS, {ax, ax}, {ax, ax}, 4096},
    FormRow{".hyp.bss", SHT_NOBITS, {wa, wa}, {wa, wa}, 4096},
    FormRow{".hyp.rodata", SHT_PROGBITS, {a, ams}, {a, wa}, 4096},
    FormRow{".hyp.event_ids", SHT_PROGBITS, {wa, wa}, {a, wa}, 4096},
    FormRow{".hyp.data", SHT_PROGBITS, {wa, wa}, {a, wa}, 4096},
    FormRow{".hyp.reloc", SHT_PROGBITS, {a, a}, {a, a}, 4},
};

/// A module of this build: its file name and what is particular about it.
struct Sample {
  std::string_view name;
  std::vector<std::string_view> empty;  ///< its empty .hyp sections
  std::vector<std::string_view> handlers;
  std::size_t pointers;  ///< entries of .hyp.reloc

  friend void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }
};

std::vector<Sample> samples() {
  return {
      {"hello", {".hyp.event_ids", ".hyp.data", ".hyp.reloc"}, {"hello_hvc"}, 0},
      {"counter", {".hyp.event_ids"}, {"counter_hvc"}, 6},
      {"initfail", {".hyp.event_ids", ".hyp.data", ".hyp.reloc"}, {}, 0},
      {"calls",
       {".hyp.bss", ".hyp.rodata", ".hyp.event_ids", ".hyp.data", ".hyp.reloc"},
       {"calls_hvc"},
       0},
      {"manyhandlers",
       {".hyp.bss", ".hyp.rodata", ".hyp.event_ids", ".hyp.data", ".hyp.reloc"},
       {"manyhandlers_hvc"},
       0},
      {"faulty",
       {".hyp.bss", ".hyp.rodata", ".hyp.event_ids", ".hyp.data", ".hyp.reloc"},
       {"faulty_hvc"},
       0},
      {"memory", {".hyp.event_ids", ".hyp.data"}, {"memory_hvc"}, 17},
      {"el1fail", {".hyp.bss", ".hyp.event_ids", ".hyp.data", ".hyp.reloc"}, {}, 0},
  };
}

ObjectFile built(std::string_view name) {
  const std::string path = std::string(PKVMEMU_BUILD_DIR) + "/modules/" + std::string(name) + ".ko";
  return ObjectFile::parse(path, read_file(path).value()).value();
}

class ModuleForm : public testing::TestWithParam<Sample> {
 protected:
  ModuleForm() : module_(built(GetParam().name)) {}

  [[nodiscard]] const Section& section(std::string_view name) const {
    const Section* found = module_.find_section(name);
    EXPECT_NE(found, nullptr) << name << " is missing";
    static const Section none;
    return found == nullptr ? none : *found;
  }
  [[nodiscard]] static bool is_empty_here(std::string_view name) {
    return std::ranges::count(GetParam().empty, name) != 0;
  }

  ObjectFile module_;
};

// All .hyp sections are there, empty ones too, in the linker script's order.
TEST_P(ModuleForm, SectionsComeInTheTablesOrder) {
  std::vector<std::string_view> expected;
  expected.reserve(form_rows.size());
  for (const FormRow& row : form_rows)
    expected.push_back(row.name);
  std::vector<std::string_view> found;
  for (const Section& each : module_.sections())
    if (each.name.starts_with(".hyp.")) found.push_back(each.name);
  EXPECT_EQ(found, expected);
}

// Type, flags and alignment of each section are those that were seen in real modules.
TEST_P(ModuleForm, SectionsHaveTheTablesTypeFlagsAndAlignment) {
  for (const FormRow& row : form_rows) {
    const Section& found = section(row.name);
    EXPECT_EQ(found.type, row.type) << row.name;
    EXPECT_THAT(is_empty_here(row.name) ? row.flags_when_empty : row.flags, Contains(found.flags))
        << row.name;
    EXPECT_EQ(found.alignment, row.alignment) << row.name;
  }
}

// What gets mapped at EL2 fills whole pages; what is empty stays empty.
TEST_P(ModuleForm, MappedSectionsFillPagesAndEmptyOnesStayEmpty) {
  for (const FormRow& row : form_rows) {
    const Section& found = section(row.name);
    EXPECT_EQ(found.size == 0, is_empty_here(row.name)) << row.name << " has " << found.size;
    if (row.name != ".hyp.reloc") {
      EXPECT_EQ(found.size % module_page_size, 0) << row.name;
    }
  }
}

// The build prefixes every EL2 symbol, mapping symbols and section symbols included.
TEST_P(ModuleForm, EveryEl2SymbolIsPrefixed) {
  std::size_t el2_symbols = 0;
  for (const Symbol& symbol : module_.symbols()) {
    if (symbol.section == SHN_UNDEF || symbol.section >= module_.sections().size()) continue;
    if (symbol.type == STT_SECTION) continue;
    if (!module_.sections()[symbol.section].name.starts_with(".hyp.")) continue;
    ++el2_symbols;
    EXPECT_THAT(std::string(symbol.name), StartsWith(std::string(nvhe_prefix)));
  }
  EXPECT_GE(el2_symbols, 5) << "five section symbols at least";
}

// Each mapped section has a symbol at its start, which .hyp.reloc counts from.
TEST_P(ModuleForm, EverySectionHasItsStartSymbol) {
  for (const FormRow& row : form_rows) {
    if (row.name == ".hyp.reloc") continue;
    const Symbol* symbol =
        module_.find_defined_symbol("__kvm_nvhe___hyp_section_" + std::string(row.name));
    ASSERT_NE(symbol, nullptr) << row.name;
    EXPECT_EQ(symbol->value, 0) << row.name;
    EXPECT_EQ(module_.sections()[symbol->section].name, row.name);
  }
}

// Each word of .hyp.reloc is a PREL32 to a word that an ABS64 fills, and no such word is left out.
TEST_P(ModuleForm, HypRelocNamesEveryAbsolutePointerOnce) {
  using Place = std::pair<std::string_view, std::uint64_t>;
  std::vector<Place> pointers;
  for (const Relocation& relocation : module_.relocations()) {
    const std::string_view target = module_.sections()[relocation.section].name;
    if (target.starts_with(".hyp.") && relocation.type == R_AARCH64_ABS64)
      pointers.emplace_back(target, relocation.offset);
  }
  std::vector<Place> entries;
  for (const Relocation& entry : relocations_of(module_, ".hyp.reloc")) {
    EXPECT_EQ(entry.type, static_cast<std::uint32_t>(R_AARCH64_PREL32));
    EXPECT_EQ(entry.offset, entries.size() * 4) << "entries have no gaps";
    const Symbol& base = module_.symbols()[entry.symbol];
    entries.emplace_back(module_.sections()[base.section].name,
                         base.value + static_cast<std::uint64_t>(entry.addend));
  }
  EXPECT_EQ(entries, pointers) << "in section order";
  EXPECT_THAT(entries, SizeIs(GetParam().pointers));
  EXPECT_EQ(section(".hyp.reloc").size, 4 * GetParam().pointers);
}

// Nothing at EL2 refers to the kernel, and only the exported load calls and _printk are imported.
TEST_P(ModuleForm, ImportsOnlyWhatTheKernelExports) {
  std::vector<std::string_view> imports;
  for (const Symbol& symbol : module_.symbols())
    if (symbol.is_undefined()) imports.push_back(symbol.name);
  const std::array<std::string_view, 3> exported{"_printk", "__pkvm_load_el2_module",
                                                 "__pkvm_register_el2_call"};
  for (const std::string_view import : imports)
    EXPECT_THAT(exported, Contains(import));
}

// The word before the EL2 init and before each handler is the kCFI hash of its type
// (pkvm-abi.md 1.8): pKVM checks it before it calls.
TEST_P(ModuleForm, EntryPointsCarryTheirTypeHashes) {
  const std::string prefix(nvhe_prefix);
  EXPECT_EQ(word_before(module_, prefix + std::string(GetParam().name) + "_hyp_init"), 0xc382d712);
  for (const std::string_view handler : GetParam().handlers)
    EXPECT_EQ(word_before(module_, prefix + std::string(handler)), 0xe76381d2) << handler;
}

// The kernel checks int (void) before it calls a module's init.
TEST_P(ModuleForm, El1InitCarriesItsTypeHash) {
  EXPECT_EQ(word_before(module_, "init_module"), word_before(built("noload"), "init_module"));
  EXPECT_EQ(word_before(module_, "init_module"), 0x36b1c5a6);
}

// struct module: its size, its name, and one pointer, to the init function (pkvm-abi.md 2.4).
TEST_P(ModuleForm, DescriptorHasTheGenerationsLayout) {
  const pkvm::ModuleLayout& layout = pkvm::info(pkvm::Generation::android15_6_6).module;
  const Section& descriptor = section(".gnu.linkonce.this_module");
  ASSERT_EQ(descriptor.size, layout.size);
  EXPECT_EQ(descriptor.flags, wa);
  EXPECT_EQ(descriptor.alignment, 64);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(descriptor.data.data()) + layout.name),
            GetParam().name);

  const auto pointers = relocations_of(module_, ".gnu.linkonce.this_module");
  ASSERT_THAT(pointers, SizeIs(1));
  EXPECT_EQ(pointers[0].type, static_cast<std::uint32_t>(R_AARCH64_ABS64));
  EXPECT_EQ(pointers[0].offset, layout.init);
  EXPECT_EQ(module_.symbols()[pointers[0].symbol].name, "init_module");
}

// A loader finds generation, name, licence and dependencies in .modinfo.
TEST_P(ModuleForm, ModinfoSaysWhatALoaderAsks) {
  EXPECT_THAT(
      strings_of(module_, ".modinfo"),
      IsSupersetOf({std::string("license=GPL"), "name=" + std::string(GetParam().name),
                    std::string("depends="),
                    std::string("vermagic=6.6.77-android15-8 SMP preempt mod_unload modversions "
                                "aarch64")}));
}

// The kernel's loader refuses modules without its PLT sections.
TEST_P(ModuleForm, PltSectionsArePresent) {
  for (const std::string_view name : {".plt", ".init.plt", ".text.ftrace_trampoline"})
    EXPECT_EQ(section(name).size, 1) << name;
}

INSTANTIATE_TEST_SUITE_P(Built, ModuleForm, testing::ValuesIn(samples()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

// A module without an EL2 half has no trace of one, and its exit function is in the descriptor.
TEST(PlainModule, HasNoHypSectionsAndBothPointers) {
  const ObjectFile module = built("noload");
  for (const Section& section : module.sections())
    EXPECT_FALSE(section.name.starts_with(".hyp.")) << section.name;
  std::vector<std::uint64_t> offsets;
  for (const Relocation& pointer : relocations_of(module, ".gnu.linkonce.this_module"))
    offsets.push_back(pointer.offset);
  EXPECT_THAT(offsets, ElementsAre(392, 1464));
}

// Built without kCFI there is no word before a function, and no check in the code.
TEST(UncheckedModule, HasNoHashes) {
  const ObjectFile module = built("nocfi");
  const Symbol* handler = module.find_defined_symbol("__kvm_nvhe_hello_hvc");
  ASSERT_NE(handler, nullptr);
  EXPECT_EQ(handler->value, 0) << "the first function starts the section";
  EXPECT_EQ(module.find_defined_symbol("__kcfi_typeid___kvm_nvhe_hello_hvc"), nullptr);
}

}  // namespace
}  // namespace pkvmemu::build
