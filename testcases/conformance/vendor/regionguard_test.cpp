// SPDX-License-Identifier: GPL-2.0-only
// The sample regionguard and its bad twins: what the host may still do with a guarded region, and
// who is asked about it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/vendor/vendor_run.h"
#include "harness/generation_printer.h"
#include "modules/memory/operations.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t base = address_of(first_frame);
constexpr std::uint64_t page = 0x1000;
enum Access : std::uint8_t { none, read_only };

class Regionguard : public VendorTest {
 protected:
  static VendorRun guard(const std::string& twin = "regionguard") {
    return {GetParam(), {"pages", twin}};
  }
  static void protect(VendorRun& run, std::uint64_t at, std::uint64_t size, std::uint64_t access,
                      std::int64_t code = 0) {
    run.call(fmt::format("regionguard_protect_hvc:{:#x},{:#x},{:#x}", at, size, access), code);
  }
  static void release(VendorRun& run, std::uint64_t at, std::int64_t code = 0) {
    run.call(fmt::format("regionguard_release_hvc:{:#x}", at), code);
  }
  static void counts(VendorRun& run, std::int64_t faults) {
    run.call("regionguard_count_hvc", faults);
  }
  static void memory(VendorRun& run, memory_operation operation,
                     const std::vector<std::uint64_t>& arguments, std::int64_t code) {
    std::string text = fmt::format("memory_hvc:{}", static_cast<int>(operation));
    for (const std::uint64_t argument : arguments)
      text += fmt::format(",{:#x}", argument);
    run.call(text, code);
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, Regionguard, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// Read only: stores abort and are counted; without access even loads do, which is nobody's to
// count.
TEST_P(Regionguard, KeepsTheHostOut) {
  VendorRun run = guard();
  run.writes(base, 0x11);
  run.writes(base + 4 * page, 0x22);
  protect(run, base, 2 * page, read_only);
  protect(run, base + 4 * page, page, none);
  run.reads(base, 0x11);
  run.cannot_write(base);
  run.cannot_write(base + page + 8);
  counts(run, 2);
  run.cannot_read(base + 4 * page);
  run.cannot_write(base + 4 * page);
  counts(run, 2);
  run.writes(base + 2 * page, 1);
  release(run, base);
  release(run, base + 4 * page);
  run.writes(base, 0x33);
  run.reads(base, 0x33);
  run.reads(base + 4 * page, 0x22);
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
}

// Decided the other way, stores are skipped: the host goes on, and nothing was written.
TEST_P(Regionguard, MaySkipStores) {
  VendorRun run = guard();
  run.parameter("regionguard.skip=1");
  run.writes(base, 0x11);
  protect(run, base, page, read_only);
  run.writes(base, 0x99);
  run.reads(base, 0x11);
  counts(run, 1);
  run.run();
}

// Regions of the command line are guarded from the EL2 init on, and can be released.
TEST_P(Regionguard, GuardsFromTheStart) {
  VendorRun run = guard();
  run.parameter(fmt::format("regionguard.regions={:#x},{:#x},1,{:#x},{:#x},0", base, page,
                            base + 2 * page, page));
  run.cannot_write(base);
  run.cannot_read(base + 2 * page);
  protect(run, base, page, none, eexist);
  release(run, base);
  run.writes(base, 1);
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(first_frame + 2));
}

struct BadRegion {
  std::string what;
  std::uint64_t base;
  std::uint64_t size;
  std::uint64_t access;
  std::int64_t code;
};

// A region that cannot be guarded is refused, and nothing has changed.
TEST_P(Regionguard, RefusesBadRegions) {
  const std::vector<BadRegion> bad = {
      {"no size", base, 0, read_only, einval},
      {"not aligned", base + 8, page, read_only, einval},
      {"half a page", base, page / 2, read_only, einval},
      {"an access that there is not", base, page, 2, einval},
      {"the same again", base + 8 * page, page, none, eexist},
      {"around one", base + 7 * page, 8 * page, none, eexist},
      {"into one", base + 7 * page, 2 * page, none, eexist},
      {"a device", address_of(mmio_frame), page, none, erange},
      {"behind RAM", address_of(no_frame), page, none, erange},
      {"from RAM to behind it", address_of(no_frame) - page, 2 * page, none, erange},
      {"around the end of addresses", ~std::uint64_t{0xfff}, 2 * page, none, erange},
      {"the hypervisor's", address_of(hypervisor_frame), page, read_only, eperm},
      {"the host's and the hypervisor's", address_of(hypervisor_frame) - page, 2 * page, none,
       eperm},
      {"shared with another module", base + 16 * page, page, read_only, eperm},
      {"donated to another module in its middle", base + 31 * page, 3 * page, none, eperm},
  };
  VendorRun run = guard();
  protect(run, base + 8 * page, 2 * page, read_only);
  run.call(fmt::format("pages_hvc:0,{:#x}", first_frame + 16), 0);
  run.call(fmt::format("pages_hvc:4,{:#x}", first_frame + 32), 0);
  for (const BadRegion& region : bad)
    protect(run, region.base, region.size, region.access, region.code);
  run.writes(base + 7 * page, 1);
  run.writes(base + 16 * page, 1);
  run.writes(base + 31 * page, 1);
  run.cannot_write(base + 9 * page);
  release(run, base + 9 * page, enoent);
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(first_frame + 32));
}

// What is guarded cannot be shared or given away.
TEST_P(Regionguard, GuardedPagesStayWhereTheyAre) {
  VendorRun run = guard();
  protect(run, base, page, read_only);
  protect(run, base + page, page, none);
  for (const std::uint64_t frame : {first_frame, first_frame + 1})
    for (const int operation : {0, 4})
      run.call(fmt::format("pages_hvc:{},{:#x}", operation, frame), eperm);
  release(run, base);
  run.call(fmt::format("pages_hvc:0,{:#x}", first_frame), 0);
  run.run();
}

// The table is full, and has room again.
TEST_P(Regionguard, EightRegionsFit) {
  VendorRun run = guard();
  for (std::uint64_t i = 0; i < 8; ++i)
    protect(run, base + 2 * i * page, page, read_only);
  protect(run, base + 16 * page, page, read_only, enospc);
  run.writes(base + 16 * page, 1);
  release(run, base);
  protect(run, base + 16 * page, page, read_only);
  run.run();
}

// One bad region among those of the command line: the load fails, and none is guarded.
TEST_P(Regionguard, AFailedInitGuardsNothing) {
  for (const bool good : {true, false}) {
    SCOPED_TRACE(good);
    VendorRun run = guard(good ? "regionguard" : "regionguard_keepsfirst");
    run.parameter(fmt::format("{}.regions={:#x},{:#x},0,{:#x},{:#x},0",
                              good ? "regionguard" : "regionguard_keepsfirst", base, page,
                              address_of(hypervisor_frame), page));
    run.run(10);
    EXPECT_THAT(run.last_run().console, Contains("Failed to init EL2 module: -1"));
    if (good)
      EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
    else
      EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(first_frame)) << "lost for ever";
  }
}

// Bad twin: a page in two regions is opened with the first one that goes. The hypervisor takes a
// region inside of another one, and refuses only what is partly the host's.
TEST_P(Regionguard, OverlappingRegionsOpenEachOther) {
  VendorRun run = guard("regionguard_overlaps");
  protect(run, base, 4 * page, none);
  protect(run, base + 2 * page, 4 * page, none, eperm);
  protect(run, base + page, 2 * page, none);
  release(run, base + page);
  run.cannot_read(base);
  run.writes(base + page, 1);
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(first_frame, first_frame + 3));
}

// Bad twin: "handled", and nothing done: the host repeats its store until the budget is spent.
TEST_P(Regionguard, HandlingNothingHangsTheHost) {
  VendorRun run = guard("regionguard_handlesnothing");
  run.budget("20M");
  protect(run, base, page, read_only);
  run.cannot_write(base);
  run.run(14, VendorRun::On::machine);
}

// Faults of others' pages: android15 and android16 ask the next handler when this one answers by
// their rule. android14 has one handler.
TEST_P(Regionguard, LeavesOthersFaultsToOthers) {
  VendorRun run(GetParam(), {"regionguard", "memory"});
  if (is(g6_1)) {
    memory(run, MEMORY_HANDLER, {0}, ebusy);
    run.run();
    return;
  }
  memory(run, MEMORY_HANDLER, {0}, 0);
  memory(run, MEMORY_ANSWER, {0, MEMORY_ACT_SKIP, 0}, 0);
  constexpr std::uint64_t r = 4;
  memory(run, MEMORY_MOD_PROT, {first_frame, r, 1, 0}, 0);
  run.writes(base, 7);
  run.reads(base, 0);
  counts(run, 0);
  run.run();
}

// Bad twin: by the other generation's rule the next handler is never asked. On android15 the host
// gets an abort; on android16 nobody did anything, and the store is repeated for ever.
TEST_P(Regionguard, TheOtherGenerationsRuleHidesOthers) {
  if (is(g6_1)) GTEST_SKIP() << "android14 has one handler";
  VendorRun run(GetParam(), {"regionguard_otherrule", "memory"});
  run.budget("20M");
  memory(run, MEMORY_HANDLER, {0}, 0);
  memory(run, MEMORY_ANSWER, {0, MEMORY_ACT_SKIP, 0}, 0);
  constexpr std::uint64_t r = 4;
  memory(run, MEMORY_MOD_PROT, {first_frame, r, 1, 0}, 0);
  run.cannot_write(base);
  if (is(g6_12))
    run.run(14, VendorRun::On::machine);
  else
    run.run();
}

}  // namespace
}  // namespace pkvmemu::test
