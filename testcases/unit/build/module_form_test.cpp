// SPDX-License-Identifier: GPL-2.0-only
// The modules of this build against the form that kernel builds give theirs (pkvm-abi.md 2.2 to
// 2.5), row by row.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <tuple>
#include <vector>

#include "build/kmi.h"
#include "build/object_file.h"
#include "harness/conformance_row.h"
#include "pkvm/generation.h"
#include "support.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

using pkvm::Generation;
using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::uint64_t a = SHF_ALLOC;
constexpr std::uint64_t ax = SHF_ALLOC | SHF_EXECINSTR;
constexpr std::uint64_t wa = SHF_ALLOC | SHF_WRITE;
constexpr std::uint64_t ams = SHF_ALLOC | SHF_MERGE | SHF_STRINGS;

/// Table 2.2 in its order. Empty sections may also have the flags of the last column.
struct FormRow {
  std::string_view name;
  Generation since;
  std::uint32_t type;
  std::array<std::uint64_t, 2> flags;
  std::array<std::uint64_t, 2> flags_when_empty;
  std::uint64_t alignment;
  bool mapped = true;
};
constexpr std::array form_rows = {
    FormRow{".hyp.text", Generation::android14_6_1, SHT_PROGBITS, {ax, ax}, {ax, ax}, 4096},
    FormRow{".hyp.bss", Generation::android14_6_1, SHT_NOBITS, {wa, wa}, {wa, wa}, 4096},
    FormRow{".hyp.rodata", Generation::android14_6_1, SHT_PROGBITS, {a, ams}, {a, wa}, 4096},
    FormRow{".hyp.event_ids", Generation::android15_6_6, SHT_PROGBITS, {wa, wa}, {a, wa}, 4096},
    FormRow{".hyp.patchable_function_entries",
            Generation::android16_6_12,
            SHT_PROGBITS,
            {a, wa},
            {a, wa},
            4096},
    FormRow{".hyp.data", Generation::android14_6_1, SHT_PROGBITS, {wa, wa}, {a, wa}, 4096},
    FormRow{".hyp.reloc", Generation::android14_6_1, SHT_PROGBITS, {a, a}, {a, a}, 4, false},
    FormRow{
        ".hyp.printk_fmts", Generation::android16_6_12, SHT_PROGBITS, {a, wa}, {a, wa}, 1, false},
};

/// "2.2/hyp.text": the row as docs/conformance.md calls it.
std::string conformance_row(const FormRow& row) {
  return "2.2/" + std::string(row.name.substr(1));
}

/// Types that 30 modules of other makers have against .hyp sections (2.5).
constexpr std::array seen_types = {
    R_AARCH64_ABS64,
    R_AARCH64_PREL32,
    R_AARCH64_CALL26,
    R_AARCH64_ADR_PREL_PG_HI21,
    R_AARCH64_ADD_ABS_LO12_NC,
    R_AARCH64_LDST8_ABS_LO12_NC,
    R_AARCH64_LDST16_ABS_LO12_NC,
    R_AARCH64_LDST32_ABS_LO12_NC,
    R_AARCH64_LDST64_ABS_LO12_NC,
};

/// What a kernel build of the generation writes into every module.
struct GenerationRow {
  Generation id;
  std::string_view vermagic;
  std::uint32_t el1_init_hash;  ///< int (void)
};
constexpr std::array<GenerationRow, pkvm::generation_count> generation_rows = {{
    {Generation::android14_6_1, "6.1.75-android14-11 SMP preempt mod_unload modversions aarch64",
     0x36b1c5a6},
    {Generation::android15_6_6, "6.6.77-android15-8 SMP preempt mod_unload modversions aarch64",
     0x36b1c5a6},
    {Generation::android16_6_12, "6.12.23-android16-5 SMP preempt mod_unload modversions aarch64",
     0x6fbb3035},
}};

/// A module of this build: its file name and what is particular about it.
struct Sample {
  std::string_view name;
  std::vector<std::string_view> filled;  ///< .hyp sections with something in them, beside the text
  std::size_t pointers = 0;              ///< entries of .hyp.reloc
};

std::vector<Sample> samples() {
  return {
      {"hello", {".hyp.bss", ".hyp.rodata"}},
      {"counter", {".hyp.bss", ".hyp.rodata", ".hyp.data", ".hyp.reloc"}, 6},
      {"initfail", {".hyp.bss", ".hyp.rodata"}},
      {"calls", {}},
      {"manyhandlers", {}},
      {"faulty", {}},
      {"memory", {".hyp.bss", ".hyp.rodata", ".hyp.reloc"}, 46},
      {"el1fail", {".hyp.rodata"}},
  };
}

ObjectFile built(std::string_view name) {
  const std::string path = std::string(PKVMEMU_BUILD_DIR) + "/modules/" + std::string(name) + ".ko";
  return ObjectFile::parse(path, read_file(path).value()).value();
}

class ModuleForm : public testing::TestWithParam<std::tuple<Generation, Sample>> {
 protected:
  static Generation generation() { return std::get<0>(GetParam()); }
  static const Sample& sample() { return std::get<1>(GetParam()); }
  static const GenerationRow& generation_row() {
    return generation_rows.at(static_cast<std::size_t>(generation()));
  }
  static std::string path() {
    return std::string(pkvm::info(generation()).kmi) + "/" + std::string(sample().name);
  }
  /// The rows of this generation.
  static std::vector<FormRow> rows() {
    std::vector<FormRow> own;
    std::ranges::copy_if(form_rows, std::back_inserter(own),
                         [](const FormRow& row) { return row.since <= generation(); });
    return own;
  }
  static void holds(std::string_view row) { test::holds(row, generation(), test::HeldOn::machine); }

  [[nodiscard]] const Section& section(std::string_view name) const {
    const Section* found = module_.find_section(name);
    EXPECT_NE(found, nullptr) << name << " is missing";
    static const Section none;
    return found == nullptr ? none : *found;
  }
  [[nodiscard]] static bool is_empty_here(std::string_view name) {
    return name != ".hyp.text" && std::ranges::count(sample().filled, name) == 0;
  }

  ObjectFile module_ = built(path());
};

// All .hyp sections of the generation are there, empty ones too, and no others; those that the
// kernel's linker script names are in its order.
TEST_P(ModuleForm, SectionsComeInTheTablesOrder) {
  holds("2.2/order");
  std::vector<std::string_view> expected;
  std::ranges::transform(rows(), std::back_inserter(expected), &FormRow::name);
  std::vector<std::string_view> found;
  for (const Section& each : module_.sections())
    if (each.name.starts_with(".hyp.")) found.push_back(each.name);
  EXPECT_EQ(found, expected);
}

// Type, flags and alignment of each section are those that were seen in real modules.
TEST_P(ModuleForm, SectionsHaveTheTablesTypeFlagsAndAlignment) {
  for (const FormRow& row : rows()) {
    holds(conformance_row(row));
    const Section& found = section(row.name);
    EXPECT_EQ(found.type, row.type) << row.name;
    EXPECT_THAT(is_empty_here(row.name) ? row.flags_when_empty : row.flags, Contains(found.flags))
        << row.name;
    EXPECT_EQ(found.alignment, row.alignment) << row.name;
  }
}

// What gets mapped at EL2 fills whole pages; what is empty stays empty.
TEST_P(ModuleForm, MappedSectionsFillPagesAndEmptyOnesStayEmpty) {
  holds("2.2/whole-pages");
  for (const FormRow& row : rows()) {
    const Section& found = section(row.name);
    EXPECT_EQ(found.size == 0, is_empty_here(row.name)) << row.name << " has " << found.size;
    if (row.mapped) EXPECT_EQ(found.size % module_page_size, 0) << row.name;
  }
}

// The build prefixes every EL2 symbol, mapping symbols and section symbols included.
TEST_P(ModuleForm, EveryEl2SymbolIsPrefixed) {
  holds("2.1/prefix");
  std::size_t el2_symbols = 0;
  for (const Symbol& symbol : module_.symbols()) {
    if (symbol.section == SHN_UNDEF || symbol.section >= module_.sections().size()) continue;
    if (symbol.type == STT_SECTION) continue;
    if (!module_.sections()[symbol.section].name.starts_with(".hyp.")) continue;
    ++el2_symbols;
    EXPECT_THAT(std::string(symbol.name), StartsWith(std::string(nvhe_prefix)));
  }
  EXPECT_GE(el2_symbols, 4) << "the section symbols at least";
}

// Each mapped section has a symbol at its start, which .hyp.reloc counts from.
TEST_P(ModuleForm, EverySectionHasItsStartSymbol) {
  holds("2.1/section-symbols");
  for (const FormRow& row : rows()) {
    if (!row.mapped) continue;
    const Symbol* symbol =
        module_.find_defined_symbol("__kvm_nvhe___hyp_section_" + std::string(row.name));
    ASSERT_NE(symbol, nullptr) << row.name;
    EXPECT_EQ(symbol->value, 0) << row.name;
    EXPECT_EQ(module_.sections()[symbol->section].name, row.name);
  }
}

// Each word of .hyp.reloc is a PREL32 to a word that an ABS64 fills, and no such word is left out.
TEST_P(ModuleForm, HypRelocNamesEveryAbsolutePointerOnce) {
  holds("2.5/entries");
  holds("2.5/every-pointer");
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
  EXPECT_THAT(entries, SizeIs(sample().pointers));
  EXPECT_EQ(section(".hyp.reloc").size, 4 * sample().pointers);
}

// Against .hyp sections there is no type that other makers' modules do not have, and PREL32 only in
// .hyp.reloc.
TEST_P(ModuleForm, RelocationTypesAreThoseOfRealModules) {
  holds("2.5/relocation-types");
  std::size_t seen = 0;
  for (const Relocation& relocation : module_.relocations()) {
    const std::string_view target = module_.sections()[relocation.section].name;
    if (!target.starts_with(".hyp.")) continue;
    ++seen;
    EXPECT_THAT(seen_types, Contains(static_cast<int>(relocation.type))) << target;
    EXPECT_EQ(relocation.type == R_AARCH64_PREL32, target == ".hyp.reloc") << target;
  }
  const bool has_data = !sample().filled.empty();
  EXPECT_EQ(seen != 0, has_data) << "code that has data refers to it";
}

// Tables of relocations say by sh_info what they patch, whatever they are called.
TEST_P(ModuleForm, EveryRelocationTableNamesItsTarget) {
  holds("2.2/sh-info");
  for (const Section& table : module_.sections()) {
    if (table.type != SHT_RELA) continue;
    ASSERT_LT(table.info, module_.sections().size()) << table.name;
    EXPECT_EQ(table.name, ".rela" + std::string(module_.sections()[table.info].name));
  }
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

// The kernel checks int (void) before it calls a module's init.
TEST_P(ModuleForm, El1InitCarriesItsTypeHash) {
  EXPECT_EQ(word_before(module_, "init_module"), generation_row().el1_init_hash);
}

// struct module: its size, its name, and one pointer, to the init function (pkvm-abi.md 2.4).
TEST_P(ModuleForm, DescriptorHasTheGenerationsLayout) {
  holds("2.4/struct-module");
  const pkvm::ModuleLayout& layout = pkvm::info(generation()).module;
  const Section& descriptor = section(".gnu.linkonce.this_module");
  ASSERT_EQ(descriptor.size, layout.size);
  EXPECT_EQ(descriptor.flags, wa);
  EXPECT_EQ(descriptor.alignment, 64);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(descriptor.data.data()) + layout.name),
            sample().name);

  const auto pointers = relocations_of(module_, ".gnu.linkonce.this_module");
  ASSERT_THAT(pointers, SizeIs(1));
  EXPECT_EQ(pointers[0].type, static_cast<std::uint32_t>(R_AARCH64_ABS64));
  EXPECT_EQ(pointers[0].offset, layout.init);
  EXPECT_EQ(module_.symbols()[pointers[0].symbol].name, "init_module");
}

// A loader finds generation, name, licence and dependencies in .modinfo.
TEST_P(ModuleForm, ModinfoSaysWhatALoaderAsks) {
  EXPECT_THAT(strings_of(module_, ".modinfo"),
              IsSupersetOf({std::string("license=GPL"), "name=" + std::string(sample().name),
                            std::string("depends="),
                            "vermagic=" + std::string(generation_row().vermagic)}));
}

// The kernel's loader refuses modules without its PLT sections.
TEST_P(ModuleForm, PltSectionsArePresent) {
  for (const std::string_view name : {".plt", ".init.plt", ".text.ftrace_trampoline"})
    EXPECT_EQ(section(name).size, 1) << name;
}

INSTANTIATE_TEST_SUITE_P(Built, ModuleForm,
                         testing::Combine(testing::Values(Generation::android14_6_1,
                                                          Generation::android15_6_6,
                                                          Generation::android16_6_12),
                                          testing::ValuesIn(samples())),
                         [](const auto& parameter) {
                           return std::string(std::get<1>(parameter.param).name) + "_" +
                                  kmi_test_name(std::get<0>(parameter.param));
                         });

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

}  // namespace
}  // namespace pkvmemu::build
