// SPDX-License-Identifier: GPL-2.0-only
// The sample pagepool and its bad twins: what the host gives away, gets back, or loses.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/vendor/vendor_run.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t list = first_frame;
constexpr std::uint64_t a = first_frame + 0x10;
constexpr std::uint64_t b = first_frame + 0x12;
constexpr std::uint64_t c = first_frame + 0x18;
constexpr std::uint64_t foreign = first_frame + 0x20;  ///< another module has to do with it

constexpr std::uint64_t block(std::uint64_t frame, std::uint64_t order) {
  return frame | order << 40;
}

class Pagepool : public VendorTest {
 protected:
  /// The sample, or one of its twins, beside the module `pages`.
  static VendorRun pool(const std::string& twin = "pagepool") {
    return {GetParam(), {"pages", twin}};
  }
  static void write_list(VendorRun& run, const std::vector<std::uint64_t>& entries) {
    std::uint64_t at = address_of(list);
    for (const std::uint64_t entry : entries) {
      run.writes(at, entry);
      at += sizeof(entry);
    }
  }
  static void share(VendorRun& run) { run.call(fmt::format("pagepool_share_hvc:{:#x}", list), 0); }
  static void unshare(VendorRun& run, std::int64_t code = 0) {
    run.call(fmt::format("pagepool_unshare_hvc:{:#x}", list), code);
  }
  static void fill(VendorRun& run, std::uint64_t count, std::int64_t code) {
    run.call(fmt::format("pagepool_fill_hvc:{:#x},{:#x}", list, count), code);
  }
  static void drain(VendorRun& run) { run.call("pagepool_drain_hvc", 0); }
  /// The module `pages` does this to a page (firmware/modules/pages).
  enum Operation : std::uint8_t { do_share, do_unshare, do_pin, do_unpin, do_donate };
  static void pages(VendorRun& run, Operation operation, std::uint64_t frame) {
    run.call(fmt::format("pages_hvc:{},{:#x}", static_cast<int>(operation), frame), 0);
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, Pagepool, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) { return slug_of(instance.param); });

// Pages on the list are out of the host's reach until the pool is drained, and come back zeroed.
TEST_P(Pagepool, TakesAndGivesBack) {
  VendorRun run = pool();
  run.writes(address_of(a), 0x5ec4e7);
  run.writes(address_of(c + 3) + 8, 0x5ec4e7);
  write_list(run, {a, block(c, 2)});
  share(run);
  fill(run, 2, 0);
  unshare(run);
  for (const std::uint64_t frame : {a, c, c + 3})
    run.cannot_read(address_of(frame));
  run.cannot_write(address_of(a));
  run.reads(address_of(c + 4), 0);
  drain(run);
  run.reads(address_of(a), 0);
  run.reads(address_of(c + 3) + 8, 0);
  run.call("pagepool_drain_hvc", 0);
  run.run();
  const Ownership end = run.ownership();
  EXPECT_THAT(end.not_the_hosts, IsEmpty());
  EXPECT_THAT(end.of_both, IsEmpty());
}

// While the pool is full, its pages are the hypervisor's alone.
TEST_P(Pagepool, OwnsWhatItHolds) {
  VendorRun run = pool();
  write_list(run, {block(b, 1), a});
  share(run);
  fill(run, 2, 0);
  fill(run, 2, ebusy);
  const Ownership end = run.ownership();
  EXPECT_THAT(end.not_the_hosts, ElementsAre(a, b, b + 1));
  EXPECT_THAT(end.of_both, ElementsAre(list)) << "shared on purpose";
}

struct BadEntry {
  std::string what;
  std::uint64_t entry;
  std::int64_t code;
};

// Whatever stands in the middle of a list: all that was taken before is the host's again, and the
// list can be had back.
TEST_P(Pagepool, ABadEntryUndoesAll) {
  const std::vector<BadEntry> bad = {
      {"shared with another module", foreign, eperm},
      {"donated to another module", foreign + 1, eperm},
      {"pinned by another module", foreign + 2, eperm},
      {"the list itself", list, eperm},
      {"the hypervisor's", hypervisor_frame, eperm},
      {"on the list already", a, eexist},
      {"holds one that is on the list", block(a, 3), eexist},
      {"not aligned to its size", block(first_frame + 0x31, 2), einval},
      {"larger than any block", block(0x40000, 20), einval},
      {"an order of 255", block(0x40000, 255), einval},
      {"bits that mean nothing", c | 1ULL << 48, einval},
      {"all ones", ~0ULL, einval},
      {"behind RAM", no_frame, erange},
      {"from RAM to behind it", block(no_frame - 512, 10), einval},
      {"a device", mmio_frame, erange},
      {"frame 0", 0, erange},
  };
  VendorRun run = pool();
  pages(run, do_share, foreign);
  pages(run, do_donate, foreign + 1);
  pages(run, do_share, foreign + 2);
  pages(run, do_pin, foreign + 2);
  for (const BadEntry& entry : bad) {
    SCOPED_TRACE(entry.what);
    write_list(run, {a, block(b, 1), entry.entry, c});
    share(run);
    fill(run, 4, entry.code);
    unshare(run);
    for (const std::uint64_t frame : {a, b, b + 1, c})
      run.reads(address_of(frame), 0);
  }
  run.run();
  const Ownership end = run.ownership();
  EXPECT_THAT(end.not_the_hosts, ElementsAre(foreign + 1));
  EXPECT_THAT(end.of_both, ElementsAre(foreign, foreign + 2));
}

// Counts and lists that make no sense are refused before anything is read.
TEST_P(Pagepool, AHostileListIsRefused) {
  VendorRun run = pool();
  write_list(run, {a});
  fill(run, 1, eperm);  // not shared
  share(run);
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{513}, ~std::uint64_t{0}})
    fill(run, count, einval);
  for (const std::uint64_t frame : {mmio_frame, no_frame, std::uint64_t{1} << 36})
    run.call(fmt::format("pagepool_fill_hvc:{:#x},1", frame), is(g6_12) ? einval : eperm);
  run.call(fmt::format("pagepool_fill_hvc:{:#x},1", hypervisor_frame), eperm);
  unshare(run);
  run.reads(address_of(a), 0);
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, IsEmpty());
}

// The largest list is read to its end.
TEST_P(Pagepool, AFullListIsTaken) {
  constexpr std::uint64_t entries = 512;
  constexpr std::uint64_t first = 0x51000;
  VendorRun run = pool();
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 0; i < entries; ++i)
    all.push_back(first + i);
  write_list(run, all);
  share(run);
  fill(run, entries, 0);
  run.cannot_read(address_of(first + entries - 1));
  run.reads(address_of(first + entries), 0);
  drain(run);
  run.reads(address_of(first + entries - 1), 0);
  run.run(0, VendorRun::On::machine);
}

// The EL1 half does the same with pages of its own.
TEST_P(Pagepool, TheEl1HalfFillsAndDrains) {
  VendorRun run = pool();
  run.parameter("pagepool.pages=16 pagepool.hold_ms=40");
  run.run();
  EXPECT_THAT(run.last_run().console, Contains("pagepool: filled with 16 pages"));
  EXPECT_THAT(run.last_run().console, Contains("pagepool: 16 of 16 pages came back zeroed"));
}

// Bad twin: the pin is kept, and the host never gets its list back.
TEST_P(Pagepool, WithoutUnpinTheListIsLost) {
  VendorRun run = pool("pagepool_keepspin");
  const std::int64_t pinned = is(g6_6) ? einval : ebusy;
  write_list(run, {a});
  share(run);
  fill(run, 1, 0);
  unshare(run, pinned);
  drain(run);
  unshare(run, pinned);
  run.run();
  EXPECT_THAT(run.ownership().of_both, ElementsAre(list));
}

// Bad twin: without unwinding the pages before a bad entry are nobody's any more.
TEST_P(Pagepool, WithoutUnwindingPagesAreLost) {
  VendorRun run = pool("pagepool_keepspages");
  write_list(run, {a, block(b, 1), hypervisor_frame, c});
  share(run);
  fill(run, 4, eperm);
  unshare(run);
  drain(run);
  run.cannot_read(address_of(a));
  run.cannot_read(address_of(b + 1));
  run.reads(address_of(c), 0);
  run.run();
  EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(a, b, b + 1));
}

// Bad twin: what was in a page goes back with it.
TEST_P(Pagepool, WithoutZeroingContentLeaks) {
  VendorRun run = pool("pagepool_keepscontent");
  run.writes(address_of(a), 0x5ec4e7);
  write_list(run, {a});
  share(run);
  fill(run, 1, 0);
  drain(run);
  run.reads(address_of(a), 0x5ec4e7);
  run.run();
}

// Bad twin: the host changes the list between its two readings, and gets a page that another module
// took from it; its own stays lost. The good one is not impressed.
TEST_P(Pagepool, AListThatIsReadTwiceBetraysOthers) {
  for (const bool good : {true, false}) {
    SCOPED_TRACE(good);
    VendorRun run = pool(good ? "pagepool" : "pagepool_readstwice");
    pages(run, do_donate, foreign);
    run.cannot_read(address_of(foreign));
    write_list(run, {a});
    share(run);
    fill(run, 1, 0);
    write_list(run, {foreign});
    drain(run);
    if (good) {
      run.cannot_write(address_of(foreign));
      run.reads(address_of(a), 0);
    } else {
      run.writes(address_of(foreign), 0x666);
      run.cannot_read(address_of(a));
    }
    run.run();
    EXPECT_THAT(run.ownership().not_the_hosts, ElementsAre(good ? foreign : a));
  }
}

// Bad twin: the host's count is believed, and EL2 reads behind the page that it pinned.
TEST_P(Pagepool, ABelievedCountIsAHypPanic) {
  VendorRun run = pool("pagepool_trustscount");
  write_list(run, {a});
  share(run);
  fill(run, 600, 0);
  run.run(12);
}

// Bad twin: devices. android14 donates them, and the host has lost one that it never asked about;
// later generations refuse.
TEST_P(Pagepool, UncheckedDevicesAreTakenByAndroid14) {
  VendorRun run = pool("pagepool_checksnothing");
  write_list(run, {mmio_frame});
  share(run);
  fill(run, 1, is(g6_1) ? 0 : is(g6_12) ? einval : eperm);
  if (is(g6_1)) run.cannot_read(address_of(mmio_frame));
  run.run();
}

// Bad twin: a page that is on the list twice. android16's operation looks at all of the list before
// it takes any of it, so it takes the page twice, and the second return is EL2's death.
TEST_P(Pagepool, UncheckedDoublesKillAndroid16) {
  VendorRun run = pool("pagepool_checksnothing");
  write_list(run, {a, a});
  share(run);
  fill(run, 2, is(g6_12) ? 0 : eperm);
  if (is(g6_12))
    run.ask("pagepool_drain_hvc");
  else
    run.reads(address_of(a), 0);
  run.run(is(g6_12) ? 12 : 0);
}

}  // namespace
}  // namespace pkvmemu::test
