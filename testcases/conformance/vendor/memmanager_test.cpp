// SPDX-License-Identifier: GPL-2.0-only
// The sample memmanager and its bad twins: a table that the host gives away, what comes of its
// rows, and what is left when one of them is no good.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "conformance/vendor/vendor_run.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t page = 0x1000;
constexpr std::uint64_t base = address_of(first_frame);
enum Owner : std::uint8_t { host, shared, secure };

using Rows = std::vector<std::uint64_t>;

class Memmanager : public VendorTest {
 protected:
  static VendorRun manager(const Rows& rows, const std::string& twin = "memmanager") {
    VendorRun run(GetParam(), {twin});
    run.parameter(fmt::format("{}.rows={:#x}", twin, fmt::join(rows, ",")));
    return run;
  }
  static void assign(VendorRun& run, std::uint64_t row, std::uint64_t owner,
                     std::int64_t code = 0) {
    run.call(fmt::format("memmanager_assign_hvc:{:#x},{}", row, owner), code);
  }
  static void unassign(VendorRun& run, std::uint64_t row) {
    run.call(fmt::format("memmanager_unassign_hvc:{}", row), 0);
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, Memmanager, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// Each row is what the table says from the load on: the host's, the host's to read, or out of its
// reach. Stores to what it may only read are refused and reported; the table itself has gone.
TEST_P(Memmanager, ProtectsWhatTheTableSays) {
  VendorRun run =
      manager({base, 2 * page, shared, base + 4 * page, page, secure, base + 8 * page, page, host});
  run.reads(base + page, 0);
  run.cannot_write(base + page + 8);
  run.cannot_read(base + 4 * page);
  run.writes(base + 8 * page, 1);
  run.writes(base + 2 * page, 1);
  run.call("memmanager_report_hvc", 3, {1, base + page + 8});
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(first_frame + 4));
}

// Rows change hands by command, and what was secure is cleared before the host sees it.
TEST_P(Memmanager, RowsChangeHands) {
  VendorRun run = manager({base, 2 * page, host});
  run.writes(base + page, 0x5ec4e7);
  assign(run, 0, shared);
  run.reads(base + page, 0x5ec4e7);
  run.cannot_write(base + page);
  assign(run, 0, secure);
  assign(run, 0, secure);
  run.cannot_read(base + page);
  assign(run, 0, shared);
  run.reads(base + page, 0);
  run.cannot_write(base);
  unassign(run, 0);
  run.writes(base, 1);
  assign(run, 1, secure, enoent);
  assign(run, ~std::uint64_t{0}, secure, enoent);
  assign(run, 0, 3, einval);
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
}

struct BadTable {
  std::string what;
  Rows rows;
  std::int64_t code;
};

// One bad row among good ones, wherever it stands: the load fails, and all is the host's as before,
// the pages of the table included.
TEST_P(Memmanager, OneBadRowUndoesAll) {
  const Rows good = {base, 2 * page, secure};
  const std::vector<BadTable> tables = {
      {"no size", {base + 8 * page, 0, secure}, einval},
      {"not aligned", {base + 8 * page + 8, page, secure}, einval},
      {"half a page", {base + 8 * page, page / 2, secure}, einval},
      {"an owner that there is not", {base + 8 * page, page, 3}, einval},
      {"the same again", {base, 2 * page, shared}, eexist},
      {"its last page again", {base + page, page, host}, eexist},
      {"around one", {base - page, 4 * page, secure}, eexist},
      {"a device", {address_of(mmio_frame), page, secure}, erange},
      {"from RAM to behind it", {address_of(no_frame) - page, 2 * page, secure}, erange},
      {"around the end of addresses", {~std::uint64_t{0xfff}, 2 * page, secure}, erange},
      {"the hypervisor's", {address_of(hypervisor_frame), page, secure}, eperm},
      {"the host's and the hypervisor's",
       {address_of(hypervisor_frame) - page, 2 * page, shared},
       eperm},
  };
  for (const BadTable& table : tables) {
    SCOPED_TRACE(table.what);
    Rows rows = good;
    rows.insert(rows.end(), table.rows.begin(), table.rows.end());
    rows.insert(rows.end(), {base + 16 * page, page, secure});
    VendorRun run = manager(rows);
    run.run(10, VendorRun::On::machine);
    EXPECT_THAT(run.last_run().console,
                Contains(fmt::format("Failed to init EL2 module: {}", table.code)));
    EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
  }
}

struct BadPlace {
  std::string what;
  std::uint64_t address;
  std::uint64_t rows;
  std::int64_t code;
};

// A table that cannot be one is refused before anything is taken.
TEST_P(Memmanager, RefusesBadTables) {
  const std::vector<BadPlace> places = {
      {"no rows", base, 0, einval},
      {"more rows than there may be", base, 257, einval},
      {"a number that wraps", base, ~std::uint64_t{0}, einval},
      {"not aligned", base + 8, 1, einval},
      {"a device", address_of(mmio_frame), 1, erange},
      {"behind RAM", address_of(no_frame), 1, erange},
      {"its second page is behind RAM", address_of(no_frame) - page, 256, erange},
      {"the hypervisor's", address_of(hypervisor_frame), 1, eperm},
      {"rows of zeros", base, 1, einval},
  };
  for (const BadPlace& place : places) {
    SCOPED_TRACE(place.what);
    VendorRun run(GetParam(), {"memmanager"});
    run.parameter(
        fmt::format("memmanager.table={:#x} memmanager.count={:#x}", place.address, place.rows));
    run.run(10, VendorRun::On::machine);
    EXPECT_THAT(run.last_run().console,
                Contains(fmt::format("Failed to init EL2 module: {}", place.code)));
    EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
  }
}

// android14 has one handler of faults: with another guard the load fails, and all is undone.
TEST_P(Memmanager, SharesFaultsWithAnotherGuard) {
  VendorRun run(GetParam(), {"regionguard", "memmanager"});
  run.parameter(fmt::format("memmanager.rows={:#x},{:#x},2", base, page));
  run.run(is(g6_1) ? 10 : 0);
  if (is(g6_1)) {
    EXPECT_THAT(run.last_run().console, Contains("Failed to init EL2 module: -16"));
    EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
  } else {
    EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(first_frame));
  }
}

// Bad twin: EL2 has nothing to read where the host's page is.
TEST_P(Memmanager, ATableOfTheHostsIsAHypPanic) {
  VendorRun run = manager({base, page, secure}, "memmanager_readsunowned");
  run.run(12);
  EXPECT_THAT(
      run.last_run().process.out,
      HasSubstr("module memmanager_readsunowned: NOT loaded: the hypervisor panicked in the "
                "middle of its load: look at its EL2 init"));
}

// Bad twin: a refused table, here of zeros, is lost to the host.
TEST_P(Memmanager, ATableThatIsKeptIsLost) {
  for (const bool good : {true, false}) {
    SCOPED_TRACE(good);
    const std::string twin = good ? "memmanager" : "memmanager_keepstable";
    VendorRun run(GetParam(), {twin});
    run.parameter(fmt::format("{0}.table={1:#x} {0}.count=1", twin, base));
    run.run(10, VendorRun::On::machine);
    if (good)
      EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
    else
      EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(first_frame));
  }
}

// Bad twin: a page of two rows is opened with one of them, though the other one is secure.
TEST_P(Memmanager, OverlappingRowsOpenEachOther) {
  VendorRun run =
      manager({base, 4 * page, secure, base + page, page, secure}, "memmanager_trustsrows");
  run.cannot_read(base + page);
  unassign(run, 1);
  run.reads(base + page, 0);
  run.cannot_read(base);
  run.run();
}

// Bad twin: the host reads what the secure world left.
TEST_P(Memmanager, WithoutClearingContentLeaks) {
  VendorRun run = manager({base, page, host}, "memmanager_showscontent");
  run.writes(base, 0x5ec4e7);
  assign(run, 0, secure);
  run.cannot_read(base);
  unassign(run, 0);
  run.reads(base, 0x5ec4e7);
  run.run();
}

}  // namespace
}  // namespace pkvmemu::test
