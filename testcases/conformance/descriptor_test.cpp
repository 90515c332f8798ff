// SPDX-License-Identifier: GPL-2.0-only
// What the kernel notes of a module's EL2 half, and how EL2 sees it (pkvm-abi.md 2.2 to 2.5), by
// the modules `descriptor` and `descriptor_events`, which print struct pkvm_el2_module and look
// into the hypervisor's page tables.
#include "descriptor.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "archive.h"
#include "every_generation.h"
#include "support/bits.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;

constexpr std::uint64_t page = 4096;

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

// Neither the address nor the permission of a module page is looked at: a page of the host's, given
// away by hand, is mapped where nobody has asked for addresses, and what the page tables refuse
// (writable and executable) is refused by them alone.
TEST_P(Description, MapModulePageTakesAnyAddress) {
  holds("3.3/map_module_page.unchecked", id());
  const std::uint64_t somewhere = token(run_emulator({own("descriptor")})) + 0x10'0000;
  const std::uint64_t map = 0xc6000000U + number(pkvm::Hypercall::pkvm_map_module_page);
  Archive archive;
  archive.module(std::string(GetParam().kernel_release) + "/", "descriptor", own("descriptor"))
      .file("pkvm-emu.rc", fmt::format("early hvc {0:#x}:0x50000,{1:#x},6\n"
                                       "early hvc {0:#x}:0x50001,{2:#x},7\n"
                                       "call descriptor_hvc:{1:#x}\n"
                                       "call descriptor_hvc:{2:#x}\n",
                                       map, somewhere, somewhere + page));
  const auto run = run_on_both(
      {"--initramfs", archive.write(), "--cmdline",
       fmt::format("pkvmemu.generation={} kvm-arm.protected_modules=descriptor", GetParam().kmi)});
  EXPECT_EQ(x(run, 0, 0), "0x0");
  EXPECT_EQ(x(run, 0, 1), "0x0");
  EXPECT_EQ(x(run, 1, 1), "0xffffffffffffffea") << "-EINVAL";
  const auto leaf = std::stoull(x(run, 2, 1), nullptr, 16);
  EXPECT_TRUE(is_valid(leaf) && is_writable(leaf) && !is_executable(leaf));
  EXPECT_EQ(output_of(leaf), 0x5000'0000U);
  EXPECT_EQ(x(run, 3, 1), "0x0");
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

}  // namespace
}  // namespace pkvmemu::test
