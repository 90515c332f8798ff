// SPDX-License-Identifier: GPL-2.0-only
// host_stage2_mod_prot in every detail (pkvm-abi.md 1.7), and the lazy PTEs of 1.6.
#include "conformance/memory/memory_test.h"

namespace pkvmemu::test {
namespace {

constexpr std::uint64_t page = free_frame;
constexpr std::uint64_t address = address_of(page);
constexpr std::uint64_t protected_annotation = 4 << 2;
constexpr std::uint64_t ret_instruction = 0xd65f'03c0;
using injected::permission;
using injected::translation;

class Permissions : public MemoryTest {};
PKVMEMU_EACH_GENERATION(Permissions);

// Only R, W, X, DEVICE, NC, PXN and UXN may be asked for.
TEST_P(Permissions, OtherBitsAreRefused) {
  holds("1.7/argument_check");
  Script s = script();
  s.expect(MEMORY_MOD_PROT, {page, 0x80, 1, 0}, einval);
  s.expect(MEMORY_MOD_PROT, {page, std::uint64_t{1} << 55 | prot::rwx, 1, 0}, einval);
  s.expect(MEMORY_MOD_PROT_RANGE, {page, 0x100, 2, 0}, einval);
  s.expect_done(write_of(address, 1));
  s.run();
}

// A range ends inside the region or hole in which it begins.
TEST_P(Permissions, RangesStayInOneRegion) {
  holds("1.7/range_check");
  Script s = script();
  s.expect(MEMORY_MOD_PROT_RANGE, {last_frame, prot::r, 2, 0}, eperm);
  s.expect(MEMORY_MOD_PROT_RANGE, {0x3ffff, prot::r, 2, 0}, eperm);
  s.expect(MEMORY_MOD_PROT_RANGE, {page, prot::r, std::uint64_t{1} << 40, 0}, eperm);
  s.run();
}

// Read-only, execute-only and so on: the host gets exactly that, and a permission fault otherwise.
TEST_P(Permissions, TheHostGetsExactlyThat) {
  holds("1.7/nonzero_prot");
  holds("1.6/host_stage2_mod_prot");
  Script s = script();
  s.expect_done(write_of(address + 0x1000, ret_instruction));
  s.expect(MEMORY_MOD_PROT, {page, prot::r, 1, 0}, 0);
  s.expect_read(address, 0);
  s.expect_abort(write_of(address, 1), injected::write(permission | 3));
  s.expect_abort(fetch_of(address), injected::fetch(permission | 3));
  s.expect(MEMORY_MOD_PROT, {page + 1, prot::rx, 1, 0}, 0);
  s.expect_done(fetch_of(address + 0x1000));
  s.expect_abort(write_of(address + 0x1000, 1), injected::write(permission | 3));
  s.expect(MEMORY_MOD_PROT, {page + 1, prot::rw, 1, 0}, 0);
  s.expect_done(write_of(address + 0x1008, 1));
  s.expect_abort(fetch_of(address + 0x1000), injected::fetch(permission | 3));
  s.expect(MEMORY_MOD_PROT, {page, prot::rwx, 1, 0}, 0);
  s.expect_done(write_of(address, 1));
  s.run();
}

// PXN keeps EL1 from executing, UXN does not: XN field 1 and 3 (7.4).
TEST_P(Permissions, ExecuteNeverByLevel) {
  holds("7.4/stage2_execute_never");
  Script s = script();
  s.expect_done(write_of(address, ret_instruction));
  s.expect(MEMORY_MOD_PROT, {page, prot::rwx | prot::pxn, 1, 0}, 0);
  const auto pxn = s.expect(MEMORY_LEAF, {address}, 0);
  s.expect_abort(fetch_of(address), injected::fetch(permission | 3));
  s.expect(MEMORY_MOD_PROT, {page, prot::rwx | prot::uxn, 1, 0}, 0);
  const auto uxn = s.expect(MEMORY_LEAF, {address}, 0);
  s.expect_done(fetch_of(address));
  s.expect(MEMORY_MOD_PROT, {page, prot::rw | prot::nc, 1, 0}, 0);
  const auto nc = s.expect(MEMORY_LEAF, {address}, 0);
  s.run();
  EXPECT_EQ(s.result(pxn, 2) >> 53 & 3, 1U);
  EXPECT_EQ(s.result(uxn, 2) >> 53 & 3, 3U);
  EXPECT_EQ(s.result(nc, 2) >> 53 & 3, 2U);
  EXPECT_EQ(s.result(nc, 2) >> 2 & 0xF, 5U) << "MemAttr of normal non-cacheable memory";
}

// No permission at all: the page belongs to component 4, and no handler is asked.
TEST_P(Permissions, ZeroTakesThePageAway) {
  holds("1.7/zero_prot");
  holds("7.3/owner_protected");
  Script s = script();
  s.expect(MEMORY_HANDLER, {0}, 0);
  s.expect(MEMORY_MOD_PROT, {page, 0, 1, 0}, 0);
  const auto leaf = s.expect(MEMORY_LEAF, {address}, 0);
  s.expect_abort(read_of(address), injected::read(translation | 3));
  s.expect_abort(fetch_of(address), injected::fetch(translation | 3));
  s.expect(MEMORY_HANDLED, {}, 0);
  s.expect(MEMORY_MOD_PROT, {page, prot::r, 1, 0}, 0);
  s.expect_read(address, 0);
  s.expect(MEMORY_MOD_PROT, {page, prot::rwx, 1, 0}, 0);
  s.expect_done(write_of(address, 1));
  s.run();
  EXPECT_EQ(s.result(leaf, 2), protected_annotation);
}

// The mark: such a page cannot be shared or donated until it is RWX again.
TEST_P(Permissions, MarkedPagesStayWithTheModule) {
  holds("1.7/bookkeeping");
  holds("1.7/consequence");
  holds("7.3/module_owned");
  for (const std::uint64_t mark : {std::uint64_t{0}, prot::r, prot::rw}) {
    Script s = script();
    s.expect(MEMORY_MOD_PROT, {page, mark, 1, 0}, 0);
    s.expect(MEMORY_SHARE, {page}, eperm);
    s.expect(MEMORY_UNSHARE, {page}, eperm);
    s.expect(MEMORY_DONATE, {page, 1, 0}, eperm);
    s.expect(MEMORY_MOD_PROT, {page, prot::rwx, 1, 0}, 0);
    s.expect(MEMORY_SHARE, {page}, 0);
    s.expect(MEMORY_UNSHARE, {page}, 0);
    s.expect(MEMORY_DONATE, {page, 1, 0}, 0);
    s.run();
  }
}

// The first page decides: all marked or all the host's own, else -EPERM and nothing changes.
TEST_P(Permissions, TheFirstPageDecides) {
  holds("1.7/memory");
  if (is(g6_1)) holds("1.6/host_stage2_mod_prot_range");
  Script s = script();
  s.expect(MEMORY_MOD_PROT_RANGE, {page, prot::r, 2, 0}, 0);
  s.expect(MEMORY_MOD_PROT_RANGE, {page, prot::rx, 3, 0}, eperm);
  s.expect(MEMORY_MOD_PROT_RANGE, {page + 2, prot::rx, 1, 0}, 0);
  s.expect(MEMORY_MOD_PROT_RANGE, {page, prot::rwx, 3, 0}, 0);
  s.expect(MEMORY_MOD_PROT_RANGE, {page + 1, prot::r, 1, 0}, 0);
  s.expect(MEMORY_MOD_PROT_RANGE, {page, prot::r, 2, 0}, eperm);
  s.expect_done(write_of(address, 1));
  s.expect(MEMORY_SHARE, {page + 4}, 0);
  s.expect(MEMORY_MOD_PROT_RANGE, {page + 4, prot::r, 1, 0}, eperm);
  s.expect(MEMORY_DONATE, {page + 5, 1, 0}, 0);
  s.expect(MEMORY_MOD_PROT_RANGE, {page + 5, prot::r, 1, 0}, eperm);
  s.run();
}

// MMIO: neither checked nor marked.
TEST_P(Permissions, MmioIsNotMarked) {
  holds("1.7/mmio");
  holds("7.3/restricted");
  constexpr std::uint64_t device = prot::rw | prot::device;
  const std::uint64_t at = address_of(mmio_frame);
  Script s = script();
  s.expect(MEMORY_MOD_PROT, {mmio_frame, prot::r | prot::device, 1, 0}, 0);
  s.expect_abort(write_of(at, 1), 0x9782'00c0 | permission | 3);
  s.expect(MEMORY_DONATE, {mmio_frame, 1, 1}, eperm);
  s.expect(MEMORY_MOD_PROT, {mmio_frame, device, 1, 0}, 0);
  s.expect(MEMORY_DONATE, {mmio_frame, 1, 1}, 0);
  s.expect(MEMORY_MOD_PROT, {mmio_frame, device, 1, 0}, 0);
  s.run();
}

// A failure of the apply step is fatal: two memory types at once fit no descriptor.
TEST_P(Permissions, ApplyingMayNotFail) {
  holds("1.7/apply_is_fatal");
  Script s = script();
  s.ask(MEMORY_MOD_PROT, {page, prot::r | prot::device | prot::nc, 1, 0});
  s.run_to_panic();
}

// The IOMMU argument is taken; without a driver that mirrors there is nothing to see.
TEST_P(Permissions, UpdatingAnIommuIsAccepted) {
  Script s = script();
  s.expect(MEMORY_MOD_PROT, {page, prot::r, 1, 1}, 0);
  s.expect(MEMORY_MOD_PROT, {page, prot::rwx, 1, 1}, 0);
  s.run();
}

class LazyPtes : public MemoryTest {
 protected:
  void SetUp() override {
    if (is(g6_1)) GTEST_SKIP() << "no lazy PTEs in this generation";
  }
};
PKVMEMU_EACH_GENERATION(LazyPtes);

// Enabled, the range is unmapped and comes back by faults, page by page; disabling it maps it at
// once in 6.12.
TEST_P(LazyPtes, ComeBackByFaults) {
  holds("1.6/host_stage2_enable_lazy_pte");
  holds("1.6/host_stage2_disable_lazy_pte");
  Script s = script();
  s.expect_done(write_of(address + 0x1000, 0x77));
  s.expect(MEMORY_LAZY_ON, {page, 4}, 0);
  const auto empty = s.expect(MEMORY_LEAF, {address + 0x1000}, 0);
  s.expect_read(address + 0x1000, 0x77);
  const auto mapped = s.expect(MEMORY_LEAF, {address + 0x1000}, 0);
  const auto neighbour = s.expect(MEMORY_LEAF, {address + 0x2000}, 0);
  s.expect(MEMORY_LAZY_OFF, {page, 4}, 0);
  const auto after = s.expect(MEMORY_LEAF, {address + 0x2000}, 0);
  s.expect_done(read_of(address + 0x2000));
  s.run();
  EXPECT_EQ(s.result(empty, 2), 0U);
  EXPECT_EQ(s.result(empty, 3), 3U);
  EXPECT_EQ(s.result(mapped, 2) & 0x7ff, 0x7ffU);
  EXPECT_EQ(s.result(neighbour, 2), 0U);
  EXPECT_EQ(s.result(after, 2) != 0, is(g6_12));
}

// An empty table is kept while the range is lazy: 2 MiB without a leaf still map page by page.
TEST_P(LazyPtes, HoldTheirTables) {
  holds("1.6/host_stage2_enable_lazy_pte.tables");
  Script s = script();
  s.expect(MEMORY_LAZY_ON, {page, 512}, 0);
  s.expect_done(read_of(address));
  const auto used = s.expect(MEMORY_LEAF, {address}, 0);
  const auto next = s.expect(MEMORY_LEAF, {address + 0x1000}, 0);
  s.run();
  EXPECT_EQ(s.result(used, 3), 3U);
  EXPECT_EQ(s.result(next, 2), 0U);
}

// MMIO, ranges that leave their region, and pages in any other state than the host's own: -EPERM;
// a size that overflows is -EINVAL in 6.12.
TEST_P(LazyPtes, Errors) {
  holds("1.6/host_stage2_enable_lazy_pte.errors");
  Script s = script();
  s.expect(MEMORY_SHARE, {page}, 0);
  for (const memory_operation operation : {MEMORY_LAZY_ON, MEMORY_LAZY_OFF}) {
    s.expect(operation, {mmio_frame, 1}, eperm);
    s.expect(operation, {last_frame, 2}, eperm);
    s.expect(operation, {page, 1}, eperm);
    s.expect(operation, {page + 1, std::uint64_t{1} << 53}, of(eperm, eperm, einval));
  }
  s.run();
}

}  // namespace
}  // namespace pkvmemu::test
