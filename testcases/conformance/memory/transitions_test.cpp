// SPDX-License-Identifier: GPL-2.0-only
// Transitions between host and hypervisor (pkvm-abi.md 7.6), their page states and encodings (7.3,
// 7.4), and the ops that make them (1.6).
#include "conformance/memory/memory_test.h"

namespace pkvmemu::test {
namespace {

constexpr std::uint64_t page = free_frame;
constexpr std::uint64_t address = address_of(page);
constexpr std::uint64_t sw0 = std::uint64_t{1} << 55;
constexpr std::uint64_t software = std::uint64_t{0xF} << 55;
constexpr std::uint64_t annotation_of_hyp = 1 << 2;
constexpr std::uint64_t absurd_pages = std::uint64_t{1} << 53;

class Transitions : public MemoryTest {};
PKVMEMU_EACH_GENERATION(Transitions);

// The host keeps a page that it shares, EL2 reads and writes it; once, and only what it owns.
TEST_P(Transitions, ShareLendsAPage) {
  holds("1.6/host_share_hyp");
  holds("1.6/host_unshare_hyp");
  holds("7.6/host_share_hyp");
  holds("7.6/host_unshare_hyp");
  Script s = script();
  s.expect(MEMORY_SHARE, {page}, 0);
  s.expect(MEMORY_WRITE, {page, 8, 0x1234}, 0);
  s.expect_read(address + 8, 0x1234);
  s.expect_done(write_of(address + 16, 0x5678));
  s.expect(MEMORY_READ, {page, 16}, 0x5678);
  s.expect(MEMORY_SHARE, {page}, eperm);
  s.expect(MEMORY_DONATE, {page, 1, 0}, eperm);
  s.expect(MEMORY_UNSHARE, {page}, 0);
  s.expect(MEMORY_UNSHARE, {page}, eperm);
  s.expect(MEMORY_SHARE, {page}, 0);
  s.run();
}

// EL2 has no alias of a page that is no longer shared: reading it is a hyp panic.
TEST_P(Transitions, UnshareTakesTheAliasAway) {
  holds("7.6/host_unshare_hyp.alias");
  Script s = script();
  s.expect(MEMORY_SHARE, {page}, 0);
  s.expect(MEMORY_UNSHARE, {page}, 0);
  s.ask(MEMORY_READ, {page, 0});
  s.run_to_panic();
}

// What is not RAM cannot be shared: the code is the generation's.
TEST_P(Transitions, OnlyRamIsShared) {
  holds("7.6/host_share_hyp.not_memory");
  holds("7.6/host_unshare_hyp.not_memory");
  const std::int64_t code = of(eperm, eperm, einval);
  Script s = script();
  s.expect(MEMORY_SHARE, {mmio_frame}, code);
  s.expect(MEMORY_UNSHARE, {mmio_frame}, code);
  s.expect(MEMORY_SHARE, {last_frame + 1}, code);
  s.run();
}

// A shared page that is pinned stays shared; each pin counts; the code is the generation's.
TEST_P(Transitions, PinsHoldAPage) {
  holds("1.6/pin_shared_mem");
  holds("1.6/unpin_shared_mem");
  holds("7.6/pin_unpin");
  holds("7.6/host_unshare_hyp.pinned");
  const std::int64_t pinned = of(ebusy, einval, ebusy);
  Script s = script();
  s.expect(MEMORY_SHARE, {page}, 0);
  s.expect(MEMORY_PIN, {page}, 0);
  s.expect(MEMORY_PIN, {page}, 0);
  s.expect(MEMORY_UNPIN, {page}, 0);
  s.expect(MEMORY_UNSHARE, {page}, pinned);
  s.expect(MEMORY_UNPIN, {page}, 0);
  s.expect(MEMORY_UNSHARE, {page}, 0);
  s.run();
}

// A range is rounded out to pages; one page that is not shared refuses it and pins none.
TEST_P(Transitions, PinsTakeWholePages) {
  holds("1.6/pin_shared_mem.range");
  const std::int64_t pinned = of(ebusy, einval, ebusy);
  Script s = script();
  for (std::uint64_t i = 0; i < 3; ++i)
    s.expect(MEMORY_SHARE, {page + i}, 0);
  s.expect(MEMORY_PIN_RANGE, {address + 0x10, address + 0x3008}, eperm);
  s.expect(MEMORY_UNSHARE, {page}, 0);
  s.expect(MEMORY_SHARE, {page}, 0);
  s.expect(MEMORY_PIN_RANGE, {address + 0xff8, address + 0x2008}, 0);
  s.expect(MEMORY_UNSHARE, {page}, pinned);
  s.expect(MEMORY_UNSHARE, {page + 2}, pinned);
  s.expect(MEMORY_UNPIN_RANGE, {address + 0xff8, address + 0x2008}, 0);
  s.expect(MEMORY_UNSHARE, {page + 2}, 0);
  s.expect(MEMORY_PIN_RANGE, {address_of(mmio_frame), address_of(mmio_frame + 1)},
           of(eperm, eperm, einval));
  s.run();
}

// A donated page is the hypervisor's: the host's accesses abort, EL2's work; once.
TEST_P(Transitions, DonationChangesHands) {
  holds("1.6/host_donate_hyp");
  holds("7.6/host_donate_hyp");
  holds("1.6/hyp_donate_host");
  holds("7.6/hyp_donate_host");
  using injected::translation;
  Script s = script();
  s.expect_done(write_of(address, 0x42));
  s.expect(MEMORY_DONATE, {page, 2, 0}, 0);
  s.expect(MEMORY_READ, {page, 0}, 0x42);
  s.expect(MEMORY_WRITE, {page, 0, 0x43}, 0);
  s.expect_abort(read_of(address), injected::read(translation | 3));
  s.expect_abort(write_of(address + 0x1008, 1), injected::write(translation | 3));
  s.expect_abort(fetch_of(address), injected::fetch(translation | 3));
  s.expect_done(read_of(address + 0x2000));
  s.expect(MEMORY_DONATE, {page + 1, 1, 0}, eperm);
  s.expect(MEMORY_SHARE, {page}, eperm);
  s.expect(MEMORY_RETURN, {page, 2}, 0);
  s.expect_read(address, 0x43);
  s.expect_done(write_of(address + 0x1008, 1));
  s.expect(MEMORY_RETURN, {page, 2}, eperm);
  s.run();
}

// One page in a wrong state refuses the whole range, and nothing has changed.
TEST_P(Transitions, DonationIsAllOrNothing) {
  holds("7.6/host_donate_hyp.checks_first");
  Script s = script();
  s.expect(MEMORY_SHARE, {page + 2}, 0);
  s.expect(MEMORY_DONATE, {page, 4, 0}, eperm);
  s.expect_done(read_of(address));
  s.expect(MEMORY_SHARE, {page}, 0);
  s.expect(MEMORY_DONATE, {page + 3, 1, 0}, 0);
  s.expect(MEMORY_RETURN, {page + 2, 2}, eperm);
  s.expect(MEMORY_RETURN, {page + 3, 1}, 0);
  s.run();
}

// MMIO moves only where it is accepted; in 6.1 always. A range past RAM is both kinds at once.
TEST_P(Transitions, DonationOfMmio) {
  holds("1.6/host_donate_hyp.mmio");
  holds("7.6/host_donate_hyp.mmio");
  const std::int64_t unaccepted = of(std::int64_t{0}, eperm, eperm);
  Script s = script();
  s.expect(MEMORY_DONATE, {mmio_frame, 1, 0}, unaccepted);
  s.expect(MEMORY_DONATE, {mmio_frame + 1, 1, 1}, 0);
  s.expect(MEMORY_DONATE, {mmio_frame + 1, 1, 1}, eperm);
  s.expect_abort(read_of(address_of(mmio_frame + 1)), 0x9782'0087);
  s.expect(MEMORY_RETURN, {mmio_frame + 1, 1}, 0);
  s.expect(MEMORY_DONATE, {mmio_frame + 1, 1, 1}, 0);
  s.run();
}

// RAM and MMIO in one range: -EPERM unless MMIO is accepted, then -EINVAL.
TEST_P(Transitions, DonationPastRam) {
  if (is(g6_1)) GTEST_SKIP() << "6.1 takes both at once; the frames at the ends of RAM are in use";
  holds("7.6/host_donate_hyp.mixed");
  constexpr std::uint64_t first_ram_frame = 0x40000;
  Script s = script();
  s.expect(MEMORY_DONATE, {first_ram_frame - 1, 2, 0}, eperm);
  s.expect(MEMORY_DONATE, {first_ram_frame - 1, 2, 1}, einval);
  s.expect(MEMORY_DONATE, {last_frame, 2, 1}, einval);
  s.run();
}

// Numbers of pages that no address space holds: an overflow is -EINVAL in 6.12.
TEST_P(Transitions, AbsurdRanges) {
  holds("7.6/host_donate_hyp.overflow");
  const std::int64_t code = of(eperm, eperm, einval);
  Script s = script();
  s.expect(MEMORY_DONATE, {page, absurd_pages, 1}, code);
  s.expect(MEMORY_RETURN, {page, absurd_pages}, code);
  s.expect(MEMORY_DONATE, {absurd_pages, 1, 0}, eperm);
  s.run();
}

// An alias with another permission than RW is the hypervisor's for ever: RESTRICTED on return.
TEST_P(Transitions, RestrictedAliasesDoNotReturn) {
  if (is(g6_1)) GTEST_SKIP() << "no host_donate_hyp_prot in this generation";
  holds("1.6/host_donate_hyp_prot");
  holds("7.6/hyp_donate_host.restricted");
  Script s = script();
  s.expect(MEMORY_DONATE_PROT, {page, 1, 0, prot::r}, 0);
  s.expect(MEMORY_READ, {page, 0}, 0);
  s.expect(MEMORY_RETURN, {page, 1}, eperm);
  s.expect(MEMORY_DONATE_PROT, {page + 1, 1, 0, prot::rw}, 0);
  s.expect(MEMORY_RETURN, {page + 1, 1}, 0);
  s.expect(MEMORY_DONATE_PROT, {page, 1, 0, prot::rw}, eperm);
  s.run();
}

// The restriction counts at EL2: a store to a read-only alias is a hyp panic.
TEST_P(Transitions, RestrictedAliasesAreRestricted) {
  if (is(g6_1)) GTEST_SKIP() << "no host_donate_hyp_prot in this generation";
  holds("1.6/host_donate_hyp_prot.permission");
  Script s = script();
  s.expect(MEMORY_DONATE_PROT, {page, 1, 0, prot::r}, 0);
  s.ask(MEMORY_WRITE, {page, 0, 1});
  s.run_to_panic();
}

// After the checks only a bug can fail: a protection that no EL2 mapping may have is fatal.
TEST_P(Transitions, FailuresAfterTheChecksAreFatal) {
  if (is(g6_1)) GTEST_SKIP() << "no host_donate_hyp_prot in this generation";
  holds("7.6/failures_after_checks");
  Script s = script();
  s.ask(MEMORY_DONATE_PROT, {page, 1, 0, prot::rwx});
  s.run_to_panic();
}

// A list is checked as a whole before its first page moves (6.12).
TEST_P(Transitions, ListsAreAllOrNothing) {
  if (!is(g6_12)) GTEST_SKIP() << "no host_donate_sglist_hyp in this generation";
  holds("1.6/host_donate_sglist_hyp");
  holds("1.6/host_donate_sglist_hyp.errors");
  const auto block = [](std::uint64_t pfn, std::uint64_t order) { return order << 40 | pfn; };
  Script s = script();
  s.expect(MEMORY_DONATE_LIST, {2, block(page, 0), block(page + 4, 2)}, 0);
  s.expect(MEMORY_READ, {page + 7, 0}, 0);
  s.expect_abort(read_of(address + 0x7000), injected::read(injected::translation | 3));
  s.expect_done(read_of(address + 0x1000));
  s.expect(MEMORY_DONATE_LIST, {2, block(page + 8, 0), block(page + 6, 0)}, eperm);
  s.expect(MEMORY_DONATE_LIST, {2, block(page + 8, 0), block(mmio_frame, 0)}, einval);
  s.expect(MEMORY_DONATE_LIST, {2, block(page + 8, 0), block(page, 60)}, einval);
  s.expect(MEMORY_DONATE_LIST, {1, block(last_frame, 1)}, einval);
  s.expect_done(read_of(address + 0x8000));
  s.expect(MEMORY_RETURN, {page + 4, 4}, 0);
  s.run();
}

// Where the host's state stands: in the PTE in 6.1 (SW0), in the vmemmap later; an annotation
// holds the owner's id; a page that comes back is an empty entry in 6.1, mapped at once later.
TEST_P(Transitions, StatesAreEncodedAsSpecified) {
  holds("7.3/host_state_of_memory");
  holds("7.3/owner_annotation");
  holds("7.6/hyp_donate_host.mapping");
  holds("1.6/host_stage2_get_leaf");
  Script s = script();
  s.expect(MEMORY_SHARE, {page}, 0);
  const auto shared = s.expect(MEMORY_LEAF, {address}, 0);
  s.expect(MEMORY_UNSHARE, {page}, 0);
  const auto owned = s.expect(MEMORY_LEAF, {address}, 0);
  s.expect(MEMORY_DONATE, {page, 1, 0}, 0);
  const auto donated = s.expect(MEMORY_LEAF, {address}, 0);
  s.expect(MEMORY_RETURN, {page, 1}, 0);
  const auto returned = s.expect(MEMORY_LEAF, {address}, 0);
  s.expect_done(read_of(address));
  const auto used = s.expect(MEMORY_LEAF, {address}, 0);
  s.run();
  EXPECT_EQ(s.result(shared, 2) & software, is(g6_1) ? sw0 : 0);
  EXPECT_EQ(s.result(owned, 2) & software, 0U);
  EXPECT_EQ(s.result(donated, 2), annotation_of_hyp);
  EXPECT_EQ(s.result(donated, 3), 3U) << "level";
  EXPECT_EQ(s.result(returned, 2) == 0, is(g6_1)) << "mapped at the next access";
  EXPECT_EQ(s.result(used, 2) & 1, 1U);
}

// A stage-2 leaf: MemAttr, S2AP, XN, SH, AF, and the address; a block for RAM that nobody cut.
TEST_P(Transitions, LeavesAreEncodedAsSpecified) {
  holds("7.4/stage2_leaf");
  holds("7.4/default_protection");
  holds("1.6/host_stage2_get_leaf.erange");
  constexpr std::uint64_t block = 0x7fd;  // AF, SH 3, RW, MemAttr 0xF, X for both
  constexpr std::uint64_t device = 0x7c5 | (std::uint64_t{1} << 54);
  Script s = script();
  const auto ram = s.expect(MEMORY_LEAF, {address}, 0);
  s.expect_done(read_of(0x900'0018));
  const auto uart = s.expect(MEMORY_LEAF, {0x900'0000}, 0);
  s.expect(MEMORY_LEAF, {std::uint64_t{1} << 50}, erange);
  s.run();
  EXPECT_EQ(s.result(ram, 2) & ~0x0000'ffff'ffff'f000U, block);
  EXPECT_EQ(s.result(ram, 3), 2U) << "a block of 2 MiB";
  EXPECT_EQ(s.result(uart, 2) & ~0x0000'ffff'ffff'f000U, device & ~0x0000'ffff'ffff'f000U);
}

}  // namespace
}  // namespace pkvmemu::test
