// SPDX-License-Identifier: GPL-2.0-only
// Plain facts of the built samples: identity, sections, symbols, relocations, imports.
#include "inspect/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/module/arch_hyp.h"
#include "ko_editor.h"

namespace pkvmemu::inspect {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const SectionFact* section_of(const Facts& facts, std::string_view name) {
  for (const SectionFact& section : facts.sections)
    if (section.name == name) return &section;
  return nullptr;
}

std::size_t relocations_of(const Facts& facts, std::string_view section, std::string_view type) {
  for (const RelocationFact& own : facts.relocations)
    if (own.section == section && own.type == type) return own.count;
  return 0;
}

// Sections of the EL2 half have what map_module_page will be asked for.
TEST(Inspect, SectionsOfCounter) {
  const Facts facts = KoEditor::of("counter").inspect();
  EXPECT_EQ(facts.name, "counter");
  EXPECT_EQ(facts.generation, pkvm::Generation::android15_6_6);
  EXPECT_EQ(facts.hyp_pages, 4U);
  struct Row {
    std::string_view name;
    std::string_view permission;
    bool at_el2;
  };
  constexpr Row rows[] = {{".hyp.text", "r-x", true},       {".hyp.bss", "rw-", true},
                          {".hyp.rodata", "r--", true},     {".hyp.data", "rw-", true},
                          {".hyp.event_ids", "r--", false}, {".hyp.reloc", "r--", false}};
  for (const Row& row : rows) {
    const SectionFact* section = section_of(facts, row.name);
    ASSERT_NE(section, nullptr) << row.name;
    EXPECT_EQ(section->permission, row.permission) << row.name;
    EXPECT_EQ(section->at_el2, row.at_el2) << row.name;
  }
}

// The table of EL2 sections is that of the loader in our firmware: names, permissions, generations.
TEST(Inspect, SectionTableIsTheLoaders) {
  ASSERT_EQ(hyp_section_rows.size(), kmod::hyp_part_rows.size());
  for (const kmod::HypPartRow& row : kmod::hyp_part_rows) {
    const HypSectionRow* own = find_hyp_section(row.section);
    ASSERT_NE(own, nullptr) << row.section;
    EXPECT_EQ(own->permission[0] == 'r', (row.prot & kmod::hyp_prot_r) != 0) << row.section;
    EXPECT_EQ(own->permission[1] == 'w', (row.prot & kmod::hyp_prot_w) != 0) << row.section;
    EXPECT_EQ(own->permission[2] == 'x', (row.prot & kmod::hyp_prot_x) != 0) << row.section;
    EXPECT_EQ(own->since, row.since) << row.section;
  }
}

// EL2 symbols lose their prefix; marks for tools are left out.
TEST(Inspect, SymbolsOfCounter) {
  const Facts facts = KoEditor::of("counter").inspect();
  std::vector<std::string> names;
  for (const SymbolFact& symbol : facts.el2_symbols)
    names.push_back(symbol.name);
  EXPECT_THAT(names,
              ElementsAre("pkvm_ops", "total", "counter_step", "operations", "counter_hvc",
                          "counter_hyp_init", "counter_add", "counter_get", "counter_reset"));
  std::vector<std::string> el1;
  for (const SymbolFact& symbol : facts.el1_symbols)
    el1.push_back(symbol.name);
  EXPECT_THAT(el1, Contains("init_module"));
  EXPECT_THAT(el1, Not(Contains("counter_hvc")));
}

// Relocations are counted by the section that they patch and by type.
TEST(Inspect, RelocationsOfCounter) {
  const Facts facts = KoEditor::of("counter").inspect();
  EXPECT_EQ(relocations_of(facts, ".hyp.rodata", "R_AARCH64_ABS64"), 6U);
  EXPECT_EQ(relocations_of(facts, ".hyp.reloc", "R_AARCH64_PREL32"), 6U);
  EXPECT_EQ(facts.hyp_reloc_entries, 6U);
}

// Imports are judged by what our kernel exports.
TEST(Inspect, ImportsOfHello) {
  const Facts facts = KoEditor::of("hello").inspect();
  ASSERT_EQ(facts.imports.size(), 3U);
  for (const ImportFact& import : facts.imports)
    EXPECT_EQ(import.state, ImportState::exported) << import.name;
}

// A name that we do not export may come from a dependency: seen, perhaps, or not.
TEST(Inspect, ImportsFromDependencies) {
  auto edited = KoEditor::of("hello");
  edited.replace_text("_printk", "_drintk");
  EXPECT_EQ(edited.inspect().imports[2].state, ImportState::missing);
  EXPECT_EQ(edited.inspect({{.name = "other", .exports = {"_drintk"}}}).imports[2].state,
            ImportState::dependency);
  edited.symbol_field("_drintk", &image::SymbolEntry::info,
                      std::uint8_t{image::elf::bind_weak << 4});
  EXPECT_EQ(edited.inspect().imports[2].state, ImportState::weak);
}

// A signature behind the module is told, and changes nothing else.
TEST(Inspect, Signature) {
  auto edited = KoEditor::of("hello");
  EXPECT_FALSE(edited.inspect().is_signed);
  edited.append("~Module signature appended~\n");
  EXPECT_TRUE(edited.inspect().is_signed);
  EXPECT_TRUE(edited.inspect().would_load());
}

// Dependencies are names as the kernel compares them.
TEST(Inspect, SplitsNames) {
  EXPECT_THAT(split_names("a-b,,c"), ElementsAre("a_b", "c"));
  EXPECT_THAT(split_names(""), IsEmpty());
}

// Sites that a kernel would patch are counted by section and capability, with the name that the
// number has in that generation; callbacks in EL2 code are pointed out.
TEST(Inspect, Alternatives) {
  const Facts facts = KoEditor::own("opsflow", "android15-6.6").inspect();
  ASSERT_EQ(facts.alternatives.size(), 1U);
  EXPECT_EQ(facts.alternatives[0].section, ".hyp.text");
  EXPECT_EQ(facts.alternatives[0].capability, 33);
  EXPECT_EQ(facts.alternatives[0].name, "HAS_LSE_ATOMICS");
  EXPECT_EQ(facts.alternatives[0].count, 1U);
  EXPECT_EQ(facts.alternatives[0].fate, AlternativeFate::replaced);
  EXPECT_TRUE(facts.would_load());

  const Facts other = KoEditor::own("opsflow", "android16-6.12").inspect();
  ASSERT_EQ(other.alternatives.size(), 1U);
  EXPECT_EQ(other.alternatives[0].name, "");
  EXPECT_EQ(other.alternatives[0].fate, AlternativeFate::unknown);

  const Facts callback =
      KoEditor::own("opsflow", "android15-6.6").section_byte(".altinstructions", 9, 0x80).inspect();
  EXPECT_TRUE(callback.alternatives[0].callback);
  EXPECT_EQ(callback.alternatives[0].fate, AlternativeFate::callback);
  EXPECT_EQ(finding_with(callback, "callback alternatives in .hyp.text").level, Level::broken);
}

// What a run replaces is what our CPU and kernel have; each presence has its answer.
TEST(Inspect, FatesOfAlternatives) {
  using pkvm::Generation;
  EXPECT_EQ(fate_of(Generation::android15_6_6, 1), AlternativeFate::replaced);
  EXPECT_EQ(fate_of(Generation::android15_6_6, 51), AlternativeFate::by_mode);
  EXPECT_EQ(fate_of(Generation::android15_6_6, 50), AlternativeFate::kept);
  EXPECT_EQ(fate_of(Generation::android15_6_6, 50 | capability_callback), AlternativeFate::kept);
  EXPECT_EQ(fate_of(Generation::android15_6_6, 7), AlternativeFate::unknown);
  EXPECT_EQ(fate_of(std::nullopt, 1), AlternativeFate::unknown);
  for (const pkvm::cpucaps::Row& row : pkvm::cpucaps::rows)
    EXPECT_NE(fate_of(row.generation, row.number), AlternativeFate::unknown) << row.name;
}

// Capability numbers have the names of their generation only (pkvm-abi.md 2.6).
TEST(Inspect, CapabilityNames) {
  EXPECT_EQ(capability_name(pkvm::Generation::android15_6_6, 33), "HAS_LSE_ATOMICS");
  EXPECT_EQ(capability_name(pkvm::Generation::android16_6_12, 37), "HAS_LSE_ATOMICS");
  EXPECT_EQ(capability_name(pkvm::Generation::android16_6_12, 33), "");
}

}  // namespace
}  // namespace pkvmemu::inspect
