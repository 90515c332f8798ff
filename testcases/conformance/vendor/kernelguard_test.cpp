// SPDX-License-Identifier: GPL-2.0-only
// The sample kernelguard and its bad twins: which of a kernel's stores to itself are made, and by
// whom.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/vendor/vendor_run.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t page = 0x1000;
constexpr std::uint64_t base = address_of(first_frame);
constexpr std::uint64_t patches = base + page;
constexpr std::uint64_t patches_size = 0x40;
constexpr std::uint64_t value = 0x1122334455667788;

class Kernelguard : public VendorTest {
 protected:
  static VendorRun guard(const std::string& twin = "kernelguard",
                         const std::vector<std::string>& more = {}) {
    std::vector<std::string> modules = {twin};
    modules.insert(modules.end(), more.begin(), more.end());
    return {GetParam(), modules};
  }
  static void protect(VendorRun& run, const std::string& twin = "kernelguard",
                      std::uint64_t at = base, std::uint64_t size = 2 * page) {
    run.parameter(
        fmt::format("{0}.base={1:#x} {0}.size={2:#x} {0}.patches={3:#x} "
                    "{0}.patches_size={4:#x}",
                    twin, at, size, patches, patches_size));
  }
  /// The module `stores` stores so (testcases/modules/stores).
  static void store(VendorRun& run, const std::string& way, std::uint64_t at) {
    run.parameter(fmt::format("stores.way={} stores.at={:#x} stores.value={:#x}", way, at, value));
  }
  static void counts(VendorRun& run, std::int64_t emulated, std::uint64_t refused,
                     std::uint64_t aborts) {
    run.call("kernelguard_counts_hvc", emulated, {refused, aborts});
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, Kernelguard, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// The host may read and execute, and its stores are made only where it patches itself: the first
// and the last word there, and none that sticks out.
TEST_P(Kernelguard, MakesStoresWhereTheyAreAllowed) {
  VendorRun run = guard();
  protect(run);
  run.writes(patches, 0x11);
  run.writes(patches + patches_size - 8, 0x22);
  run.reads(patches, 0x11);
  run.reads(patches + patches_size - 8, 0x22);
  counts(run, 2, 0, 0);
  run.cannot_write(patches - 8);
  run.cannot_write(patches + patches_size);
  run.cannot_write(base);
  run.reads(base, 0);
  run.writes(base + 2 * page, 0x33);
  counts(run, 2, 3, 3);
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
}

struct Way {
  std::string name;
  std::uint64_t written;
  int moved;
};

// Every form of a store of a word does what the CPU would have done, its base included.
TEST_P(Kernelguard, DecodesTheFormsOfStores) {
  constexpr std::uint64_t low = value & 0xffff'ffff;
  const std::vector<Way> ways = {
      {"str_w", low, 0},     {"str_x", value, 0},     {"stur_x", value, -3}, {"post_w", low, -12},
      {"post_x", value, 24}, {"pre_x", value, 0},     {"stlr_w", low, 0},    {"stlr_x", value, 0},
      {"zero_x", 0, 0},      {"register_x", value, 0}};
  for (const Way& way : ways) {
    SCOPED_TRACE(way.name);
    VendorRun run = guard("kernelguard", {"stores"});
    protect(run);
    store(run, way.name, patches + 0x10);
    run.reads(patches + 0x10, way.written);
    run.reads(patches + 8, 0);
    run.reads(patches + 0x18, 0);
    counts(run, 1, 0, 0);
    run.run(0, VendorRun::On::machine);
    EXPECT_THAT(run.last_run().console,
                Contains(fmt::format("stores: {} done, base moved by {}", way.name, way.moved)));
  }
}

// One of them under QEMU, whose syndrome and PAR_EL1 are its own.
TEST_P(Kernelguard, DecodesUnderQemu) {
  VendorRun run = guard("kernelguard", {"stores"});
  protect(run);
  store(run, "post_x", patches);
  run.reads(patches, value);
  run.run();
}

// What a kernel does not patch itself with is refused, and a kernel that does it has an abort that
// it did not expect: bytes, pairs, and what is not aligned.
TEST_P(Kernelguard, RefusesOtherStores) {
  const std::vector<std::pair<std::string, std::uint64_t>> refused = {
      {"str_b", patches}, {"str_h", patches}, {"stp_x", patches}, {"str_x", patches + 4}};
  for (const auto& [way, at] : refused) {
    SCOPED_TRACE(way);
    VendorRun run = guard("kernelguard", {"stores"});
    protect(run);
    store(run, way, at);
    run.run(13, VendorRun::On::machine);
    EXPECT_THAT(run.last_run().process.out, Not(HasSubstr("stores: " + way + " done")));
  }
}

struct BadPlan {
  std::string what;
  std::uint64_t base;
  std::uint64_t size;
  std::int64_t code;
};

// A range that is no memory of the host's, or does not hold what may be patched in it, is refused
// by the EL2 init, and nothing stays protected.
TEST_P(Kernelguard, RefusesBadPlans) {
  const std::vector<BadPlan> plans = {
      {"no size", base, 0, einval},
      {"not aligned", base + 8, 2 * page, einval},
      {"a device", address_of(mmio_frame), page, erange},
      {"from RAM to behind it", address_of(no_frame) - page, 2 * page, erange},
      {"around the end of addresses", ~std::uint64_t{0xfff}, 2 * page, erange},
      {"nothing to patch in it", base, page, erange},
      {"the host's and the hypervisor's", base, address_of(hypervisor_frame + 1) - base, eperm},
  };
  for (const BadPlan& plan : plans) {
    SCOPED_TRACE(plan.what);
    VendorRun run = guard();
    protect(run, "kernelguard", plan.base, plan.size);
    run.writes(base, 1);
    run.run(10, VendorRun::On::machine);
    EXPECT_THAT(run.last_run().console,
                Contains(fmt::format("Failed to init EL2 module: {}", plan.code)));
    EXPECT_EQ(run.last_run().report.at("touches").at(0).at("state"), "done");
  }
}

// android14 has one handler: a second module with one does not load, and protects nothing. Later
// generations ask both, each about its own pages.
TEST_P(Kernelguard, SharesFaultsWithAnotherGuard) {
  VendorRun run(GetParam(), {"regionguard", "kernelguard"});
  protect(run);
  run.parameter(fmt::format("regionguard.regions={:#x},{:#x},1", base + 8 * page, page));
  run.writes(patches, 1);
  if (is(g6_1)) {
    run.run(10);
    EXPECT_THAT(run.last_run().console, Contains("Failed to init EL2 module: -16"));
    EXPECT_EQ(run.last_run().report.at("touches").at(0).at("state"), "done");
    return;
  }
  run.cannot_write(base);
  run.cannot_write(base + 8 * page);
  run.call("regionguard_count_hvc", 1);
  counts(run, 1, 1, 2);
  run.run();
}

// Bad twin: the syndrome says which register for most stores, and nothing for those that change
// their base: the base is not changed.
TEST_P(Kernelguard, TheSyndromeDoesNotSayAll) {
  VendorRun run = guard("kernelguard_trustssyndrome", {"stores"});
  protect(run, "kernelguard_trustssyndrome");
  store(run, "post_x", patches);
  counts(run, 1, 0, 0);
  run.run(0, VendorRun::On::machine);
  EXPECT_THAT(run.last_run().console, Contains("stores: post_x done, base moved by 0"));
}

// Bad twin: eight bytes at the last four that may be patched reach four others.
TEST_P(Kernelguard, TheEndOfAStoreCountsToo) {
  for (const bool good : {true, false}) {
    SCOPED_TRACE(good);
    const std::string twin = good ? "kernelguard" : "kernelguard_startonly";
    VendorRun run = guard(twin);
    run.parameter(
        fmt::format("{0}.base={1:#x} {0}.size={2:#x} {0}.patches={3:#x} "
                    "{0}.patches_size=4",
                    twin, base, page, base));
    if (good)
      run.cannot_write(base);
    else
      run.writes(base, value);
    run.reads(base, good ? 0 : value);
    run.run();
  }
}

// Bad twin: the store is made until the budget is spent.
TEST_P(Kernelguard, TheHostHasToBeMovedOn) {
  VendorRun run = guard("kernelguard_staysthere");
  protect(run, "kernelguard_staysthere");
  run.budget("20M");
  run.writes(patches, 1);
  run.run(14, VendorRun::On::machine);
}

}  // namespace
}  // namespace pkvmemu::test
