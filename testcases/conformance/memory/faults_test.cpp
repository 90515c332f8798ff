// SPDX-License-Identifier: GPL-2.0-only
// Stage-2 faults of the host (pkvm-abi.md 7.7) and who is asked about them (1.6, 7.5).
#include "conformance/memory/memory_test.h"

namespace pkvmemu::test {
namespace {

constexpr std::uint64_t page = free_frame;
constexpr std::uint64_t address = address_of(page);
constexpr std::uint64_t block_of_1_gib = 1;
using injected::permission;
using injected::translation;

class Faults : public MemoryTest {
 protected:
  /// A read-only page and handlers 0 to `handlers` - 1.
  static Script guarded(std::uint64_t handlers) {
    Script s = script();
    for (std::uint64_t i = 0; i < handlers; ++i)
      s.expect(MEMORY_HANDLER, {i}, 0);
    s.expect(MEMORY_MOD_PROT, {page, prot::r, 1, 0}, 0);
    return s;
  }
  static std::uint64_t as_answer(std::int64_t code) { return static_cast<std::uint64_t>(code); }
};
PKVMEMU_EACH_GENERATION(Faults);

// The first access to MMIO maps the largest block that its hole allows, RW device.
TEST_P(Faults, MmioIsMappedOnDemand) {
  holds("7.7/identity_map.mmio");
  constexpr std::uint64_t far_away = std::uint64_t{0x30} << 32;  // nothing in 1 GiB around it
  Script s = script();
  const auto before = s.expect(MEMORY_LEAF, {far_away}, 0);
  // The bus answers with an abort of its own, which says nothing of stage 2.
  s.expect_abort(read_of(far_away), 0x9600'0010);
  const auto after = s.expect(MEMORY_LEAF, {far_away}, 0);
  s.run();
  EXPECT_EQ(s.result(before, 2), 0U);
  EXPECT_EQ(s.result(after, 3), block_of_1_gib);
  EXPECT_EQ(s.result(after, 2) >> 53 & 3, 2U) << "never executed";
}

// A block ends where somebody else's page begins.
TEST_P(Faults, BlocksStopAtOtherOwners) {
  holds("7.7/identity_map.annotated");
  Script s = script();
  s.expect(MEMORY_DONATE, {mmio_frame, 1, 1}, 0);
  s.expect_abort(read_of(address_of(mmio_frame)), 0x9782'0080 | translation | 3);
  s.expect(MEMORY_RETURN, {mmio_frame, 1}, 0);
  s.run();
}

// The host is told of an access that it has lost: ESR_EL1 is ESR_EL2 with the EC of the same EL
// and S1PTW, FAR_EL1 the address; execution goes on at its vector.
TEST_P(Faults, AbortsAreInjected) {
  holds("7.7/injected_abort");
  Script s = script();
  s.expect(MEMORY_DONATE, {page, 1, 0}, 0);
  s.expect_abort(read_of(address + 0x18), injected::read(translation | 3));
  s.expect_abort(write_of(address + 0x20, 1), injected::write(translation | 3));
  s.expect_abort(fetch_of(address + 0x30), injected::fetch(translation | 3));
  s.run();
}

// Code that raises an exception of its own was fetched: the touch tells that one.
TEST_P(Faults, FetchedCodeMayBeUndefined) {
  constexpr std::uint64_t undefined_instruction = 0x200'0000;
  Script s = script();
  s.expect_abort(fetch_of(address), undefined_instruction);
  s.expect_done(write_of(address, 0xd65f'03c0));
  s.expect_done(fetch_of(address));
  s.run();
}

// Until the host is deprivileged its stage 2 is off: it reaches what it gave away.
TEST_P(Faults, NothingIsCheckedBeforeDeprivilege) {
  holds("3.3/stage2_off_before_finalisation");
  Script s = script();
  s.in(Script::Phase::early);
  s.expect(MEMORY_DONATE, {page, 1, 0}, 0);
  s.expect_done(write_of(address, 0x42));
  s.expect_read(address, 0x42);
  s.expect(MEMORY_DONATE, {page, 1, 0}, eperm);
  s.in(Script::Phase::after);
  s.expect_abort(read_of(address), injected::read(translation | 3));
  s.expect(MEMORY_READ, {page, 0}, 0x42);
  s.run();
}

// Nobody registered for permission faults: the abort goes to the host.
TEST_P(Faults, WithoutHandlerTheHostGetsIt) {
  holds("7.7/no_handler");
  Script s = guarded(0);
  s.expect_abort(write_of(address, 1), injected::write(permission | 3));
  s.run();
}

// A handler that makes the page writable: the store is repeated and succeeds. It gets ESR_EL2 and
// the address with its offset in the page.
TEST_P(Faults, AHandlerMayAllow) {
  holds("1.6/register_host_perm_fault_handler");
  holds("7.7/permission_handlers");
  holds("7.5/handlers_hold_no_lock");
  Script s = guarded(1);
  s.expect(MEMORY_ANSWER, {0, MEMORY_ACT_ALLOW, 0}, 0);
  s.expect_done(write_of(address + 0x18, 0x99));
  s.expect_read(address + 0x18, 0x99);
  const auto handled = s.expect(MEMORY_HANDLED, {}, 1);
  s.run();
  EXPECT_EQ(s.result(handled, 2), 0x93c2'8040U | permission | 3);
  EXPECT_EQ(s.result(handled, 3), address + 0x18);
}

// A handler that skips the store: it never happened, and the host goes on behind it.
TEST_P(Faults, AHandlerMaySkip) {
  holds("7.7/result_zero");
  Script s = guarded(1);
  s.expect(MEMORY_ANSWER, {0, MEMORY_ACT_SKIP, 0}, 0);
  s.expect_done(write_of(address, 0x99));
  s.expect_read(address, 0);
  s.run();
}

// A handler that refuses: the abort goes to the host.
TEST_P(Faults, AHandlerMayRefuse) {
  holds("7.7/result_eperm");
  Script s = guarded(1);
  s.expect(MEMORY_ANSWER, {0, MEMORY_ACT_NOTHING, as_answer(eperm)}, 0);
  s.expect_abort(write_of(address, 1), injected::write(permission | 3));
  s.expect(MEMORY_HANDLED, {}, 1);
  s.run();
}

// -EAGAIN repeats the access in 6.1 and 6.6; in 6.12 it is one more answer that is not 0.
TEST_P(Faults, AHandlerMayAskForARetry) {
  holds("7.7/result_eagain");
  Script s = guarded(1);
  constexpr std::int64_t eagain = -11;
  s.expect(MEMORY_ANSWER, {0, MEMORY_ACT_SKIP, as_answer(eagain)}, 0);
  if (is(g6_12)) s.expect(MEMORY_ANSWER, {0, MEMORY_ACT_NOTHING, as_answer(eagain)}, 0);
  if (is(g6_12))
    s.expect_abort(write_of(address, 1), injected::write(permission | 3));
  else
    s.expect_done(write_of(address, 1));
  s.run();
}

// Any other error of a handler is fatal in 6.1 and 6.6, and an abort for the host in 6.12.
TEST_P(Faults, OtherAnswersAreFatal) {
  holds("7.7/result_other");
  Script s = guarded(1);
  s.expect(MEMORY_ANSWER, {0, MEMORY_ACT_NOTHING, as_answer(einval)}, 0);
  if (is(g6_12)) {
    s.expect_abort(write_of(address, 1), injected::write(permission | 3));
    s.run();
    return;
  }
  s.expect_done(write_of(address, 1));
  s.run_to_panic();
}

// One handler in 6.1, sixteen later; then -EBUSY.
TEST_P(Faults, HandlersAreCounted) {
  holds("1.6/register_host_perm_fault_handler.ebusy");
  Script s = script();
  for (int i = of(1, 16, 16); i > 0; --i)
    s.expect(MEMORY_HANDLER, {0}, 0);
  s.expect(MEMORY_HANDLER, {1}, ebusy);
  s.run();
}

// In the order of registration: 6.6 ends at the first answer that is not 0, and returns it.
TEST_P(Faults, NonZeroEndsTheChain) {
  if (!is(g6_6)) GTEST_SKIP() << "the rule of android15-6.6";
  holds("1.6/register_host_perm_fault_handler.order");
  Script s = guarded(3);
  s.expect(MEMORY_ANSWER, {1, MEMORY_ACT_NOTHING, as_answer(eperm)}, 0);
  s.expect_abort(write_of(address, 1), injected::write(permission | 3));
  const auto refused = s.expect(MEMORY_HANDLED, {}, 2);
  s.expect(MEMORY_ANSWER, {1, MEMORY_ACT_NOTHING, 0}, 0);
  s.expect(MEMORY_ANSWER, {2, MEMORY_ACT_SKIP, 0}, 0);
  s.expect_done(write_of(address, 1));
  const auto handled = s.expect(MEMORY_HANDLED, {}, 5);
  s.run();
  EXPECT_EQ(s.result(refused, 4), 0x01U);
  EXPECT_EQ(s.result(handled, 4), 0x0'1012U);
}

// 6.12 ends at the first answer that is 0; when there is none the host gets the abort.
TEST_P(Faults, ZeroEndsTheChain) {
  if (!is(g6_12)) GTEST_SKIP() << "the rule of android16-6.12";
  holds("1.6/register_host_perm_fault_handler.order");
  Script s = guarded(3);
  for (std::uint64_t i = 0; i < 3; ++i)
    s.expect(MEMORY_ANSWER, {i, MEMORY_ACT_NOTHING, 5}, 0);
  s.expect_abort(write_of(address, 1), injected::write(permission | 3));
  const auto refused = s.expect(MEMORY_HANDLED, {}, 3);
  s.expect(MEMORY_ANSWER, {1, MEMORY_ACT_SKIP, 0}, 0);
  s.expect_done(write_of(address, 1));
  const auto handled = s.expect(MEMORY_HANDLED, {}, 5);
  s.run();
  EXPECT_EQ(s.result(refused, 4), 0x012U);
  EXPECT_EQ(s.result(handled, 4), 0x0'1201U);
}

// A permission fault is the handlers' business only; a translation fault never is.
TEST_P(Faults, HandlersSeePermissionFaultsOnly) {
  holds("7.7/dispatch_by_class");
  Script s = guarded(1);
  s.expect(MEMORY_DONATE, {page + 1, 1, 0}, 0);
  s.expect_abort(read_of(address + 0x1000), injected::read(translation | 3));
  s.expect(MEMORY_HANDLED, {}, 0);
  s.run();
}

// The notifier of illegal aborts: one, called before an abort goes to the host, and only then.
TEST_P(Faults, TheNotifierHearsOfInjectedAborts) {
  holds("1.6/register_illegal_abt_notifier");
  holds("7.7/illegal_abort_notifier");
  Script s = guarded(1);
  s.expect(MEMORY_NOTIFIER, {}, 0);
  s.expect(MEMORY_NOTIFIER, {}, ebusy);
  s.expect(MEMORY_ANSWER, {0, MEMORY_ACT_SKIP, 0}, 0);
  s.expect_done(write_of(address, 1));
  s.expect(MEMORY_NOTIFIED, {}, 0);
  s.expect(MEMORY_ANSWER, {0, MEMORY_ACT_NOTHING, as_answer(eperm)}, 0);
  s.expect_abort(write_of(address, 1), injected::write(permission | 3));
  s.expect(MEMORY_DONATE, {page + 1, 1, 0}, 0);
  s.expect_abort(read_of(address + 0x1000), injected::read(translation | 3));
  s.expect(MEMORY_NOTIFIED, {}, 2);
  s.run();
}

// 6.1 maps a returned page, and the rest of a cut block, at the next access; later generations
// have it mapped already.
TEST_P(Faults, MemoryIsMappedOnDemand) {
  holds("7.7/identity_map.memory");
  Script s = script();
  s.expect(MEMORY_DONATE, {page, 1, 0}, 0);
  const auto rest = s.expect(MEMORY_LEAF, {address + 0x5000}, 0);
  s.expect_done(write_of(address + 0x5000, 1));
  const auto used = s.expect(MEMORY_LEAF, {address + 0x5000}, 0);
  s.run();
  EXPECT_EQ(s.result(rest, 2) == 0, is(g6_1));
  EXPECT_EQ(s.result(used, 2) & 0x7ff, 0x7ffU);
  EXPECT_EQ(s.result(used, 3), 3U);
}

}  // namespace
}  // namespace pkvmemu::test
