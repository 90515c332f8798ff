// SPDX-License-Identifier: GPL-2.0-only
// What the kernel finds in files, those too that no build makes (pkvm-abi.md 2.2, 2.3), by the
// module `descriptor` after llvm-objcopy.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "changed_module.h"
#include "descriptor.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Files : public GenerationTest {};
INSTANTIATE_TEST_SUITE_P(Generations, Files, testing::ValuesIn(pkvm::generations), generation_slug);

/// A file that a build would not make, and what becomes of it: rows of 2.3.
struct Discovery {
  std::string slug;
  std::string row;
  std::vector<Generation> in;
  std::string module;
  Arguments changes;
  std::string warning;  ///< empty: none
  /// Fields that must be zero, and fields that must not.
  std::vector<std::string_view> zero;
  std::vector<std::string_view> filled;
};

const std::vector all = {Generation::android14_6_1, Generation::android15_6_6,
                         Generation::android16_6_12};
const std::vector only_6_6 = {Generation::android15_6_6};
const std::vector only_6_12 = {Generation::android16_6_12};

Arguments added(const std::string& section) {
  return {fmt::format("--add-section={}=CONTENT", section),
          fmt::format("--set-section-flags={}=alloc,data,contents", section)};
}
Arguments joined(Arguments first, const Arguments& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

const std::vector<Discovery>& discoveries() {
  static const std::vector<Discovery> rows = {
      {.slug = "NoText",
       .row = "2.3/no_text",
       .in = all,
       .module = "descriptor",
       .changes = {"--rename-section=.hyp.text=.other.text"},
       .warning = "",
       .zero = {"text", "bss", "rodata", "data", "relocs", "nr_relocs"},
       .filled = {}},
      {.slug = "AbsentParts",
       .row = "2.3/absent_stay_null",
       .in = all,
       .module = "descriptor",
       .changes = {"--rename-section=.hyp.bss=.other.bss",
                   "--rename-section=.hyp.rodata=.other.rodata"},
       .warning = "",
       .zero = {"bss", "rodata"},
       .filled = {"text", "data", "relocs"}},
      {.slug = "EmptyIds",
       .row = "2.3/event_ids_recorded",
       .in = only_6_12,
       .module = "descriptor",
       .changes = {},
       .warning = "",
       .zero = {"event_ids", "hyp_events", "patchable"},
       .filled = {"text"}},
      {.slug = "EventsWithEmptyIds",
       .row = "2.3/events_take_empty_ids",
       .in = only_6_6,
       .module = "descriptor",
       .changes = added("_hyp_events"),
       .warning = "",
       .zero = {},
       .filled = {"event_ids", "hyp_events", "nr_hyp_events"}},
      {.slug = "EventsWithoutIds66",
       .row = "2.3/events_without_ids",
       .in = only_6_6,
       .module = "descriptor",
       .changes = joined(added("_hyp_events"), {"--rename-section=.hyp.event_ids=.other.ids"}),
       .warning = "hyp events without .hyp.event_ids",
       .zero = {"event_ids", "hyp_events", "nr_hyp_events"},
       .filled = {"text"}},
      {.slug = "EventsWithEmptyIds612",
       .row = "2.3/events_without_ids",
       .in = only_6_12,
       .module = "descriptor",
       .changes = added("_hyp_events"),
       .warning = "hyp events without .hyp.event_ids",
       .zero = {"event_ids", "hyp_events", "nr_hyp_events"},
       .filled = {"text"}},
      {.slug = "IdsWithoutEvents",
       .row = "2.3/ids_without_events",
       .in = only_6_6,
       .module = "descriptor_events",
       .changes = {"--rename-section=_hyp_events=.other.events"},
       .warning = ".hyp.event_ids without hyp events",
       .zero = {"event_ids", "hyp_events"},
       .filled = {"text"}},
      {.slug = "IdsAlone",
       .row = "2.3/event_ids_recorded",
       .in = only_6_12,
       .module = "descriptor_events",
       .changes = {"--rename-section=_hyp_events=.other.events"},
       .warning = "",
       .zero = {"hyp_events"},
       .filled = {"event_ids"}},
      {.slug = "PrintkFormats",
       .row = "2.3/printk_fmts",
       .in = only_6_12,
       .module = "descriptor",
       .changes = joined({"--remove-section=.hyp.printk_fmts"}, added(".hyp.printk_fmts")),
       .warning = "",
       .zero = {},
       .filled = {"hyp_printk_fmts", "nr_hyp_printk_fmts"}},
  };
  return rows;
}

struct DiscoveryCase {
  Generation generation;
  Discovery row;

  friend void PrintTo(const DiscoveryCase& each, std::ostream* out) { *out << each.row.row; }
};
std::vector<DiscoveryCase> discovery_cases() {
  std::vector<DiscoveryCase> cases;
  for (const Discovery& row : discoveries())
    for (const Generation generation : row.in)
      cases.push_back({.generation = generation, .row = row});
  return cases;
}

class ChangedFile : public testing::TestWithParam<DiscoveryCase> {};
INSTANTIATE_TEST_SUITE_P(Discovery, ChangedFile, testing::ValuesIn(discovery_cases()),
                         [](const auto& instance) {
                           return fmt::format("{}_{}", instance.param.row.slug,
                                              slug_of(pkvm::info(instance.param.generation)));
                         });

// The file is taken, and arch.hyp says what the table says; a kernel WARN where it says so.
TEST_P(ChangedFile, IsTakenAsTheTableSays) {
  const auto& [generation, row] = GetParam();
  holds(row.row, generation);
  // Two records of the biggest kind (128 bytes).
  const ScratchDirectory scratch;
  const std::string content = scratch.path() / "content";
  ASSERT_TRUE(write_file(content, std::string_view(std::string(256, '\0'))));
  Arguments changes = row.changes;
  for (std::string& change : changes)
    if (const auto at = change.find("CONTENT"); at != std::string::npos)
      change.replace(at, std::string::npos, content);
  const ChangedModule changed(module(fmt::format("{}/{}", pkvm::info(generation).kmi, row.module)),
                              changes);
  const Arguments arguments{changed.path(), "--cmdline", row.module + ".load=0"};
  const auto run = run_emulator(arguments);
  EXPECT_EQ(run_qemu(arguments), run.console) << "the second one is ours";
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;

  const auto warnings = lines_with(run.console, "WARNING: ");
  if (row.warning.empty())
    EXPECT_THAT(warnings, IsEmpty());
  else
    EXPECT_THAT(warnings, testing::ElementsAre(HasSubstr(row.warning)));
  const Descriptor before(run, generation, "before");
  const auto value = [&](std::string_view name) {
    return name.starts_with("nr_") ? before.half(name) : before.at(name);
  };
  for (const std::string_view name : row.zero)
    EXPECT_EQ(value(name), 0U) << name;
  for (const std::string_view name : row.filled)
    EXPECT_NE(value(name), 0U) << name;
}

// Counts come from sizes: 256 bytes are two formats of 128.
TEST(TablesOf6_12, AreCountedByTheirSize) {
  constexpr auto generation = Generation::android16_6_12;
  holds("2.3/printk_fmts", generation, HeldOn::machine);
  const ScratchDirectory scratch;
  const std::string content = scratch.path() / "content";
  ASSERT_TRUE(write_file(content, std::string_view(std::string(256, '\0'))));
  const ChangedModule changed(
      module("android16-6.12/descriptor"),
      {"--remove-section=.hyp.printk_fmts", "--add-section=.hyp.printk_fmts=" + content,
       "--set-section-flags=.hyp.printk_fmts=alloc,data,contents"});
  const auto run = run_emulator({changed.path(), "--cmdline", "descriptor.load=0"});
  EXPECT_EQ(Descriptor(run, generation, "before").half("nr_hyp_printk_fmts"), 2U);
}

// EL2 code without a table of relocations is no module: -ENOEXEC for the whole file, nothing runs.
TEST_P(Files, WithoutRelocIsEnoexec) {
  holds("2.3/no_reloc", id());
  const ChangedModule changed(own("descriptor"),
                              {"--remove-section=.hyp.reloc", "--remove-section=.rela.hyp.reloc"});
  const auto run = run_on_both({changed.path()});
  EXPECT_EQ(run.report.at("modules").at(0).at("error"), -8);
  EXPECT_EQ(run.report.at("modules").at(0).at("step"), "discover-hyp");
  EXPECT_THAT(lines_with(run.console, "descriptor before"), IsEmpty());
}

// An empty table is fine: a module without absolute pointers loads and answers.
TEST_P(Files, AnEmptyRelocIsFine) {
  holds("2.3/reloc_empty", id());
  const auto run = run_on_both({own("calls"), "--call", "calls_hvc:1,2"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  EXPECT_EQ(x(run, 0, 1), "0x3");
}

// Relocation tables are found by sh_info: whatever they are called, the file loads as before.
TEST_P(Files, RelocationTablesMayHaveAnyName) {
  holds("2.2/rela_by_sh_info", id());
  const ChangedModule changed(own("descriptor"), {"--rename-section=.rela.hyp.text=.rela.text2",
                                                  "--rename-section=.rela.hyp.data=.rela.data",
                                                  "--rename-section=.rela.hyp.reloc=.rela.other"});
  const auto run = run_on_both({changed.path(), "--call", "descriptor_hvc:255"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(x(run, 0, 2), "0x1");
}

// Stripped of all that no relocation needs, production files load as well.
TEST_P(Files, StrippedFilesLoad) {
  holds("2.2/stripped", id());
  const ChangedModule changed(own("descriptor"), {"--strip-debug", "--strip-unneeded"});
  const auto run = run_on_both({changed.path()});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(lines_with(run.console, "descriptor load 0"), SizeIs(1));
}

}  // namespace
}  // namespace pkvmemu::test
