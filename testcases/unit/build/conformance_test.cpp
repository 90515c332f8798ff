// SPDX-License-Identifier: GPL-2.0-only
// How an EL2 image is produced and what a finished file looks like, for each generation
// (pkvm-abi.md 2.1, 2.2, 2.5), by modules of this build that have something in every section.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "harness/conformance_row.h"
#include "harness/generation_printer.h"
#include "support.h"
#include "support/file.h"

namespace pkvmemu::build {
namespace {

using pkvm::Generation;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::uint64_t a = SHF_ALLOC;
constexpr std::uint64_t ax = SHF_ALLOC | SHF_EXECINSTR;
constexpr std::uint64_t wa = SHF_ALLOC | SHF_WRITE;

/// Table 2.2 in its order; flags of a section that has something in it.
struct Form {
  std::string_view row;
  std::string_view section;
  Generation since;
  std::uint32_t type;
  std::uint64_t flags;
  std::uint64_t alignment;
};
constexpr std::array forms = {
    Form{"2.2/text.form", ".hyp.text", Generation::android14_6_1, SHT_PROGBITS, ax, 4096},
    Form{"2.2/bss.form", ".hyp.bss", Generation::android14_6_1, SHT_NOBITS, wa, 4096},
    Form{"2.2/rodata.form", ".hyp.rodata", Generation::android14_6_1, SHT_PROGBITS, a, 4096},
    Form{"2.2/event_ids.form", ".hyp.event_ids", Generation::android15_6_6, SHT_PROGBITS, wa, 4096},
    Form{"2.2/patchable.form", ".hyp.patchable_function_entries", Generation::android16_6_12,
         SHT_PROGBITS, wa, 4096},
    Form{"2.2/data.form", ".hyp.data", Generation::android14_6_1, SHT_PROGBITS, wa, 4096},
    Form{"2.2/reloc.form", ".hyp.reloc", Generation::android14_6_1, SHT_PROGBITS, a, 4},
    Form{"2.2/events.form", "_hyp_events", Generation::android15_6_6, SHT_PROGBITS, wa, 8},
};

class Produced : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static Generation id() { return GetParam().id; }
  static void holds(std::string_view row) {
    pkvmemu::test::holds(row, id(), pkvmemu::test::HeldOn::machine);
  }
  static ObjectFile built(std::string_view name) {
    const std::string path =
        fmt::format("{}/modules/{}/{}.ko", PKVMEMU_BUILD_DIR, GetParam().kmi, name);
    return ObjectFile::parse(path, read_file(path).value()).value();
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, Produced, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           return pkvmemu::test::slug_of(instance.param);
                         });

// Each section that the generation has is there, in the table's order, with its type, flags and
// alignment; no other .hyp section is.
TEST_P(Produced, SectionsHaveTheTablesForm) {
  holds("2.2/order");
  const ObjectFile module = built("descriptor_events");
  std::vector<std::string_view> expected;
  for (const Form& form : forms) {
    if (id() < form.since) continue;
    holds(form.row);
    if (form.section.starts_with(".hyp.")) expected.push_back(form.section);
    const Section* section = module.find_section(form.section);
    ASSERT_NE(section, nullptr) << form.section;
    EXPECT_EQ(section->type, form.type) << form.section;
    EXPECT_EQ(section->flags, form.flags) << form.section;
    EXPECT_EQ(section->alignment, form.alignment) << form.section;
  }
  std::vector<std::string_view> found;
  for (const Section& section : module.sections())
    if (section.name.starts_with(".hyp.")) found.push_back(section.name);
  EXPECT_EQ(found, expected);
}

// What is mapped at EL2 fills whole pages; what is empty stays empty.
TEST_P(Produced, SizesAreWholePages) {
  holds("2.2/sizes");
  for (const std::string_view name : {"descriptor_events", "calls"})
    for (const Section& section : built(name).sections()) {
      if (!section.name.starts_with(".hyp.") || section.name == ".hyp.reloc") continue;
      EXPECT_EQ(section.size % module_page_size, 0U) << name << section.name;
    }
  EXPECT_EQ(built("calls").find_section(".hyp.data")->size, 0U);
  EXPECT_EQ(built("descriptor_events").find_section(".hyp.data")->size, module_page_size);
}

// Every symbol of the EL2 half has the prefix, the sections' own at their starts.
TEST_P(Produced, SymbolsArePrefixed) {
  holds("2.1/prefix");
  holds("2.1/section_symbols");
  const ObjectFile module = built("descriptor_events");
  for (const Symbol& symbol : module.symbols()) {
    if (symbol.section == SHN_UNDEF || symbol.section >= module.sections().size()) continue;
    if (symbol.type == STT_SECTION) continue;
    if (!module.sections()[symbol.section].name.starts_with(".hyp.")) continue;
    EXPECT_THAT(std::string(symbol.name), StartsWith("__kvm_nvhe_"));
  }
  for (const Form& form : forms) {
    if (id() < form.since || !form.section.starts_with(".hyp.") || form.section == ".hyp.reloc")
      continue;
    const Symbol* start =
        module.find_defined_symbol("__kvm_nvhe___hyp_section_" + std::string(form.section));
    ASSERT_NE(start, nullptr) << form.section;
    EXPECT_EQ(start->value, 0U) << form.section;
    EXPECT_EQ(module.sections()[start->section].name, form.section);
  }
}

// EL2 code has no stack protector, no tracing calls and no unwind data; kCFI from 6.6 on, in 6.12
// with integers of one size being one type.
TEST_P(Produced, CompilerFlagsAreTheGenerations) {
  holds("2.1/flags");
  holds("2.6/no_unwind_data");
  const ObjectFile module = built("descriptor_events");
  for (const Symbol& symbol : module.symbols()) {
    EXPECT_THAT(std::string(symbol.name), Not(HasSubstr("__stack_chk")));
    EXPECT_THAT(std::string(symbol.name), Not(HasSubstr("mcount")));
  }
  for (const Relocation& relocation : module.relocations())
    if (module.sections()[relocation.section].name.ends_with("eh_frame"))
      EXPECT_THAT(std::string(module.symbols()[relocation.symbol].name),
                  Not(StartsWith("__kvm_nvhe_")));
  // The word of int (const struct pkvm_module_ops *), plain and normalised.
  constexpr std::uint32_t plain = 0xc382d712;
  constexpr std::uint32_t normalised = 0xf175f853;
  constexpr std::array<std::uint32_t, pkvm::generation_count> hashes = {0, plain, normalised};
  const std::uint32_t hash = hashes.at(static_cast<std::size_t>(id()));
  const std::uint32_t word = word_before(module, "__kvm_nvhe_descriptor_hyp_init");
  if (hash == 0)
    EXPECT_THAT(word, testing::AllOf(testing::Ne(plain), testing::Ne(normalised)));
  else
    EXPECT_EQ(word, hash);
  holds(id() == Generation::android14_6_1 ? "2.1/no_kcfi" : "2.1/kcfi");
}

// Each word of .hyp.reloc is a PREL32 against a section's own symbol and an offset, to a word that
// an ABS64 fills; every such word has one, in section order.
TEST_P(Produced, RelocNamesEveryPointerOnce) {
  holds("2.1/hyp_reloc");
  holds("2.5/element");
  holds("2.5/which_slots");
  const ObjectFile module = built("descriptor_events");
  using Place = std::pair<std::string_view, std::uint64_t>;
  std::vector<Place> pointers;
  for (const Relocation& relocation : module.relocations()) {
    const std::string_view target = module.sections()[relocation.section].name;
    if (target.starts_with(".hyp.") && relocation.type == R_AARCH64_ABS64)
      pointers.emplace_back(target, relocation.offset);
  }
  std::vector<Place> entries;
  for (const Relocation& entry : relocations_of(module, ".hyp.reloc")) {
    EXPECT_EQ(entry.type, static_cast<std::uint32_t>(R_AARCH64_PREL32));
    EXPECT_EQ(entry.offset, entries.size() * 4);
    const Symbol& base = module.symbols()[entry.symbol];
    EXPECT_THAT(std::string(base.name), StartsWith("__kvm_nvhe___hyp_section_"));
    entries.emplace_back(module.sections()[base.section].name,
                         static_cast<std::uint64_t>(entry.addend));
  }
  std::ranges::sort(entries);
  std::ranges::sort(pointers);
  EXPECT_EQ(entries, pointers);
  EXPECT_EQ(pointers.size(), id() == Generation::android14_6_1 ? 2U : 3U);
}

// BRKs of EL2 code are in the module's __bug_table.
TEST_P(Produced, BugTableNamesEl2Code) {
  holds("2.6/bug_table");
  const ObjectFile module = built("steps");
  const auto records = relocations_of(module, "__bug_table");
  EXPECT_TRUE(std::ranges::any_of(records, [&](const Relocation& relocation) {
    const Symbol& symbol = module.symbols()[relocation.symbol];
    return symbol.section < module.sections().size() &&
           module.sections()[symbol.section].name == ".hyp.text";
  }));
}

/// The smallest module, with one instruction at EL2 that has an address in it.
constexpr std::string_view smallest_el1 = R"(
#include <asm/kvm_pkvm_module.h>
#include <linux/module.h>
int kvm_nvhe_sym(demo_hyp_init)(const struct pkvm_module_ops *ops);
static int __init demo_init(void)
{
	return pkvm_load_el2_module(kvm_nvhe_sym(demo_hyp_init), NULL);
}
module_init(demo_init);
MODULE_LICENSE("GPL");
)";

class Unmovable : public BuilderTest, public testing::WithParamInterface<pkvm::GenerationInfo> {
 protected:
  ModuleSpec with_instruction(std::string_view instruction) {
    ModuleSpec specification = spec(smallest_el1, fmt::format(R"(
#include <asm/kvm_pkvm_module.h>
static int target;
int demo_hyp_init(const struct pkvm_module_ops *ops)
{{
	__asm__ volatile("{}" : : "S"(&target) : "x0");
	return target;
}}
)",
                                                              instruction));
    specification.generation = GetParam().id;
    return specification;
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, Unmovable, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           return pkvmemu::test::slug_of(instance.param);
                         });

// A relocation that a move to EL2 would break stops the build; relative ones need nothing.
TEST_P(Unmovable, TypesThatCannotMove) {
  pkvmemu::test::holds("2.5/refused_types", GetParam().id, pkvmemu::test::HeldOn::machine);
  EXPECT_THAT(build_error(with_instruction("movz x0, #:abs_g3:%0")),
              HasSubstr("R_AARCH64_MOVW_UABS_G3 (269)"));
  const ObjectFile module =
      build(with_instruction("adrp x0, %0\\n add x0, x0, :lo12:%0\\n ldr w0, [x0, :lo12:%0]"));
  EXPECT_EQ(module.find_section(".hyp.reloc")->size, 0U);
}

}  // namespace
}  // namespace pkvmemu::build
