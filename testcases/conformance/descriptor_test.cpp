// SPDX-License-Identifier: GPL-2.0-only
// What the kernel finds in a file, what it notes of it, and how EL2 sees it (pkvm-abi.md 2.2 to
// 2.5), by the modules `descriptor` and `descriptor_events`, which print struct pkvm_el2_module and
// look into the hypervisor's page tables.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "changed_module.h"
#include "every_generation.h"
#include "support/bits.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t page = 4096;
constexpr int absent = -1;

/// Table 2.4: the fields' offsets.
struct Field {
  std::string_view name;
  std::array<int, pkvm::generation_count> offset;
};
constexpr std::array fields = {
    Field{"text", {0, 0, 0}},
    Field{"bss", {16, 16, 16}},
    Field{"rodata", {32, 32, 32}},
    Field{"data", {48, 48, 48}},
    Field{"event_ids", {absent, 64, 64}},
    Field{"patchable", {absent, absent, 80}},
    Field{"sections", {absent, 80, 96}},
    Field{"hyp_va", {absent, absent, 112}},
    Field{"hyp_events", {absent, 96, 120}},
    Field{"hyp_printk_fmts", {absent, absent, 128}},
    Field{"nr_hyp_events", {absent, 104, 136}},
    Field{"nr_hyp_printk_fmts", {absent, absent, 140}},
    Field{"relocs", {64, 112, 144}},
    Field{"token", {absent, 136, absent}},
    Field{"nr_relocs", {72, 144, 184}},
    Field{"init", {80, 152, 192}},
};

/// The struct as the module printed it at one moment.
class Descriptor {
 public:
  Descriptor(const EmulatorRun& run, Generation generation, std::string_view when)
      : generation_(generation) {
    const std::string key = fmt::format("descriptor {} ", when);
    for (const std::string& line : run.console) {
      if (!line.starts_with(key)) continue;
      std::istringstream text(line.substr(key.size()));
      int offset = 0;
      std::uint64_t word = 0;
      text >> std::dec >> offset >> std::hex >> word;
      words_[offset] = word;
    }
  }
  [[nodiscard]] bool has(std::string_view name) const { return offset_of(name) != absent; }
  [[nodiscard]] std::uint64_t at(std::string_view name, int behind = 0) const {
    return words_.at(offset_of(name) + behind);
  }
  /// A u32 field.
  [[nodiscard]] std::uint64_t half(std::string_view name) const {
    const int offset = offset_of(name);
    const std::uint64_t word = words_.at(offset & ~7);
    return (offset & 4) != 0 ? word >> 32U : word & 0xffff'ffffU;
  }
  [[nodiscard]] std::uint64_t end(std::string_view name) const { return at(name, 8); }
  [[nodiscard]] std::size_t size() const { return words_.size() * 8; }
  [[nodiscard]] const std::map<int, std::uint64_t>& words() const { return words_; }

 private:
  [[nodiscard]] int offset_of(std::string_view name) const {
    const auto* const field = std::ranges::find(fields, name, &Field::name);
    return field->offset.at(static_cast<std::size_t>(generation_));
  }
  Generation generation_;
  std::map<int, std::uint64_t> words_;
};

class Description : public GenerationTest {
 protected:
  static std::uint64_t section(const EmulatorRun& run, std::string_view name) {
    return number_after(run.console, fmt::format("descriptor section {} ", name)).value();
  }
  static std::uint64_t token(const EmulatorRun& run) {
    return number_after(run.console, "descriptor load 0 token ").value();
  }
  static Descriptor shown(const EmulatorRun& run, std::string_view when) {
    return {run, id(), when};
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, Description, testing::ValuesIn(pkvm::generations),
                         generation_slug);

// Before the load: the sections with something in them have start and end, the relocations are
// counted, and what the load fills is empty.
TEST_P(Description, IsFilledByDiscovery) {
  holds("2.3/recorded", id());
  holds("2.3/relocs_counted", id());
  holds("2.4/fields", id());
  holds("2.4/size", id());
  const auto run = run_on_both({own("descriptor_events")});
  const Descriptor before = shown(run, "before");
  EXPECT_EQ(before.size(), GetParam().module.hyp_size);
  for (const std::string_view name : {"text", "bss", "rodata", "data"}) {
    EXPECT_EQ(before.at(name), section(run, name)) << name;
    EXPECT_EQ(before.end(name), before.at(name) + page) << name;
  }
  for (const std::string_view name : {"event_ids", "patchable"})
    if (before.has(name)) EXPECT_EQ(before.end(name), before.at(name) + page) << name;
  if (before.has("hyp_events")) {
    holds("2.3/events_recorded", id());
    EXPECT_NE(before.at("hyp_events"), 0U);
    EXPECT_EQ(before.half("nr_hyp_events"), 1U);
  }
  if (before.has("patchable")) holds("2.3/patchable_recorded", id());
  EXPECT_EQ(before.half("nr_relocs"), exists_since(Generation::android15_6_6) ? 3U : 2U)
      << "two pointers, and the event's from 6.6 on";
  EXPECT_NE(before.at("relocs"), 0U);
  EXPECT_EQ(before.at("init"), 0U);
  for (const std::string_view name : {"sections", "hyp_va", "token"})
    if (before.has(name)) EXPECT_EQ(before.at(name), 0U) << name;
}

// The load stores init (the macro), the token and the range from the lowest start to the highest
// end; the rest stays.
TEST_P(Description, IsCompletedByTheLoad) {
  holds("2.4/fields", id());
  holds("3.1/load_stores_init", id());
  holds("3.2/6", id());
  holds("3.2/4", id());
  const auto run = run_on_both({own("descriptor_events")});
  const Descriptor before = shown(run, "before");
  const Descriptor after = shown(run, "after");
  EXPECT_EQ(
      after.at("init"),
      number_after(run.console, fmt::format("descriptor load 0 token {:x} init ", token(run))));
  if (after.has("token")) EXPECT_EQ(after.at("token"), token(run));
  if (after.has("hyp_va")) EXPECT_EQ(after.at("hyp_va"), token(run));
  std::vector<std::uint64_t> starts;
  std::vector<std::uint64_t> ends;
  for (const std::string_view name : {"text", "bss", "rodata", "data", "event_ids", "patchable"}) {
    if (!after.has(name)) continue;
    EXPECT_EQ(after.at(name), before.at(name)) << name;
    starts.push_back(after.at(name));
    ends.push_back(after.end(name));
  }
  if (!after.has("sections")) return;
  EXPECT_EQ(after.at("sections"), std::ranges::min(starts));
  EXPECT_EQ(after.end("sections"), std::ranges::max(ends));
}

// hyp VA = kernel VA - lowest start + token: for EL1's macro, for every pointer that .hyp.reloc
// names, and for EL2's own eyes, also where the pointer lies in read-only memory.
TEST_P(Description, AddressesMoveByOneDistance) {
  holds("2.5/application", id());
  holds("2.5/slots", id());
  holds("2.5/writer", id());
  holds("3.1/el2_mod_va", id());
  holds("3.2/7", id());
  holds("2.1/el1_writes", id());
  holds("3.3/touch_before_finalisation", id());
  const auto run = run_on_both({own("descriptor_events"), "--call", "descriptor_hvc:255"});
  const std::uint64_t distance = token(run) - section(run, "text");
  const auto before = number_after(run.console, "descriptor pointer before ");
  const auto after = number_after(run.console, "descriptor pointer after ");
  const std::uint64_t data = section(run, "data");
  ASSERT_TRUE(before && after);
  EXPECT_TRUE(*before >= data && *before < data + page) << "the ordinary loader had filled it";
  EXPECT_EQ(*after - *before, distance);
  EXPECT_EQ(number_after(run.console, "descriptor data at el2 "), data + distance);
  EXPECT_EQ(x(run, 0, 1), fmt::format("{:#x}", 0x5eed + 0x726f)) << "what EL1 wrote, and rodata";
  EXPECT_EQ(x(run, 0, 2), "0x1") << "pointer in .hyp.data";
  EXPECT_EQ(x(run, 0, 3), "0x1") << "pointer in .hyp.rodata";
}

/// Table 2.2: a section and the permission that its pages have at EL2.
struct Permission {
  std::string_view row;
  unsigned place;  ///< argument of the handler
  Generation since;
  bool write;
  bool execute;
};
constexpr std::array permissions = {
    Permission{"2.2/text.permission", 0, Generation::android14_6_1, false, true},
    Permission{"2.2/bss.permission", 1, Generation::android14_6_1, true, false},
    Permission{"2.2/rodata.permission", 2, Generation::android14_6_1, false, false},
    Permission{"2.2/data.permission", 3, Generation::android14_6_1, true, false},
    Permission{"2.2/event_ids.permission", 4, Generation::android15_6_6, false, false},
    Permission{"2.2/patchable.permission", 5, Generation::android16_6_12, false, false},
};

// Arm ARM D8.3: a stage-1 leaf of EL2.
bool is_valid(std::uint64_t leaf) {
  return (leaf & 3) == 3;
}
bool is_writable(std::uint64_t leaf) {
  return !test_bit(leaf, 7);
}
bool is_executable(std::uint64_t leaf) {
  return !test_bit(leaf, 54);
}
std::uint64_t output_of(std::uint64_t leaf) {
  return leaf & 0x0000'ffff'ffff'f000U;
}

// In the hypervisor's page tables: one leaf with the section's permission at the module's address,
// and the same page in the linear map, writable and not executable.
TEST_P(Description, PagesHaveTheirPermissionAndTheirAlias) {
  Arguments arguments{own("descriptor_events")};
  for (const Permission& row : permissions)
    arguments.insert(arguments.end(), {"--call", fmt::format("descriptor_hvc:{}", row.place)});
  const auto run = run_on_both(arguments);
  ASSERT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  holds("3.3/map_module_page", id());
  for (std::size_t i = 0; i < permissions.size(); ++i) {
    const Permission& row = permissions.at(i);
    if (!exists_since(row.since)) continue;
    holds(row.row, id());
    const auto leaf = std::stoull(x(run, i, 1), nullptr, 16);
    const auto alias = std::stoull(x(run, i, 3), nullptr, 16);
    ASSERT_TRUE(is_valid(leaf)) << row.row;
    EXPECT_EQ(is_writable(leaf), row.write) << row.row;
    EXPECT_EQ(is_executable(leaf), row.execute) << row.row;
    EXPECT_TRUE(is_valid(alias) && is_writable(alias) && !is_executable(alias)) << row.row;
    EXPECT_EQ(output_of(alias), output_of(leaf)) << row.row;
  }
}

// What only the loader reads has no place at EL2: where .hyp.reloc and the events would be by the
// module's arithmetic, nothing is mapped.
TEST_P(Description, RelocationsAndEventsAreNotMapped) {
  const auto first = run_emulator({own("descriptor_events")});
  const Descriptor before = shown(first, "before");
  const std::uint64_t distance = token(first) - section(first, "text");
  struct Unmapped {
    std::string_view row;
    std::string_view field;
  };
  for (const Unmapped& row : {Unmapped{"2.2/reloc.not_mapped", "relocs"},
                              Unmapped{"2.2/events.not_mapped", "hyp_events"}}) {
    if (!before.has(row.field)) continue;
    holds(row.row, id());
    const auto run =
        run_on_both({own("descriptor_events"), "--call",
                     fmt::format("descriptor_hvc:{:#x}", before.at(row.field) + distance), "--call",
                     fmt::format("descriptor_hvc:{:#x}", token(first))});
    EXPECT_EQ(x(run, 0, 1), "0x0") << row.row;
    EXPECT_NE(x(run, 1, 1), "0x0") << "the module's first page is";
  }
}

// init runs at EL2 with every interrupt masked, gets the operations, and may keep the pointer.
TEST_P(Description, InitRunsAtEl2Masked) {
  holds("3.3/init_convention", id());
  const auto run = run_on_both({own("descriptor"), "--call", "descriptor_hvc:6"});
  EXPECT_EQ(std::stoull(x(run, 0, 1), nullptr, 16) & 0x1c0U, 0x1c0U) << "A, I, F";
  EXPECT_EQ(x(run, 0, 2), "0x8") << "CurrentEL";
  EXPECT_NE(x(run, 0, 3), "0x0");
}

// 6.1 has one allocation, in the order text, read-only, writable; later text, data and read-only
// data have one each, where .hyp.bss, .hyp.data and the ids go with the data.
TEST_P(Description, SectionsLieWithTheirKind) {
  holds("2.6/layout", id());
  const auto run = run_on_both({own("descriptor_events")});
  const auto at = [&](std::string_view name) { return section(run, name); };
  if (id() == Generation::android14_6_1) {
    EXPECT_TRUE(at("text") < at("rodata") && at("rodata") < at("bss") && at("bss") < at("data"));
    return;
  }
  for (const std::string_view group : {"text", "bss", "rodata", "data"})
    holds(fmt::format("2.2/{}.group", group), id());
  holds("2.2/event_ids.group", id());
  const Descriptor before = shown(run, "before");
  EXPECT_EQ(before.at("event_ids"), at("bss") + page) << "beside .hyp.bss";
  EXPECT_GT(at("data"), at("bss"));
  EXPECT_FALSE(at("rodata") > at("bss") && at("rodata") < at("data"));
  EXPECT_FALSE(at("text") > at("bss") && at("text") < at("data"));
}

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
       .changes = added(".hyp.printk_fmts"),
       .warning = "",
       .zero = {},
       .filled = {"hyp_printk_fmts", "nr_hyp_printk_fmts"}},
  };
  return rows;
}

struct DiscoveryCase {
  Generation generation;
  Discovery row;
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
  const ChangedModule changed(module("android16-6.12/descriptor"),
                              {"--add-section=.hyp.printk_fmts=" + content,
                               "--set-section-flags=.hyp.printk_fmts=alloc,data,contents"});
  const auto run = run_emulator({changed.path(), "--cmdline", "descriptor.load=0"});
  EXPECT_EQ(Descriptor(run, generation, "before").half("nr_hyp_printk_fmts"), 2U);
}

// EL2 code without a table of relocations is no module: -ENOEXEC for the whole file, nothing runs.
TEST_P(Description, WithoutRelocIsEnoexec) {
  holds("2.3/no_reloc", id());
  const ChangedModule changed(own("descriptor"),
                              {"--remove-section=.hyp.reloc", "--remove-section=.rela.hyp.reloc"});
  const auto run = run_on_both({changed.path()});
  EXPECT_EQ(run.report.at("modules").at(0).at("error"), -8);
  EXPECT_EQ(run.report.at("modules").at(0).at("step"), "discover-hyp");
  EXPECT_THAT(lines_with(run.console, "descriptor before"), IsEmpty());
}

// An empty table is fine: a module without absolute pointers loads and answers.
TEST_P(Description, AnEmptyRelocIsFine) {
  holds("2.3/reloc_empty", id());
  const auto run = run_on_both({own("calls"), "--call", "calls_hvc:1,2"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  EXPECT_EQ(x(run, 0, 1), "0x3");
}

// Relocation tables are found by sh_info: whatever they are called, the file loads as before.
TEST_P(Description, RelocationTablesMayHaveAnyName) {
  holds("2.2/rela_by_sh_info", id());
  const ChangedModule changed(own("descriptor"), {"--rename-section=.rela.hyp.text=.rela.text2",
                                                  "--rename-section=.rela.hyp.data=.rela.data",
                                                  "--rename-section=.rela.hyp.reloc=.rela.other"});
  const auto run = run_on_both({changed.path(), "--call", "descriptor_hvc:255"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_EQ(x(run, 0, 2), "0x1");
}

// Stripped of all that no relocation needs, production files load as well.
TEST_P(Description, StrippedFilesLoad) {
  holds("2.2/stripped", id());
  const ChangedModule changed(own("descriptor"), {"--strip-debug", "--strip-unneeded"});
  const auto run = run_on_both({changed.path()});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(lines_with(run.console, "descriptor load 0"), SizeIs(1));
}

}  // namespace
}  // namespace pkvmemu::test
