// SPDX-License-Identifier: GPL-2.0-only
// Handlers that modules register (pkvm-abi.md 1.6, 8.2, 8.3, 8.5), each provoked from EL1.
#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;

/// What hear_psci of the module notes: the notification and the host's x0.
constexpr std::uint64_t notified(std::uint64_t notification, std::uint64_t x0) {
  return notification << 56 | x0;
}

class Handlers : public OpsRun {};
INSTANTIATE_TEST_SUITE_P(Generations, Handlers, testing::ValuesIn(pkvm::generations),
                         generation_name);
class LaterHandlers : public OpsRun {};
INSTANTIATE_TEST_SUITE_P(Generations, LaterHandlers,
                         testing::Values(pkvm::info(Generation::android15_6_6),
                                         pkvm::info(Generation::android16_6_12)),
                         generation_name);

// A host SMC that a handler takes is answered by it, and the host goes on behind the instruction;
// one that it leaves goes to EL3 with what the handler changed.
TEST_P(Handlers, HostSmcIsTakenOrForwarded) {
  const auto before = smc(0xc2000010);
  const auto registered = op(SYSTEM_REGISTER, {SYSTEM_SMC});
  const auto taken = smc(0xc2000010, {7});
  const auto changed = smc(0xc2000011, {7});
  const auto left = smc(0xc2000099, {7});
  run();
  EXPECT_EQ(x(before, 0), not_supported) << "EL3 knows no such call";
  EXPECT_EQ(answer(registered), 0);
  EXPECT_EQ(x(taken, 0), 0U);
  EXPECT_EQ(x(taken, 1), 0x111U);
  EXPECT_EQ(x(changed, 0), not_supported);
  EXPECT_EQ(x(changed, 1), 0x222U);
  EXPECT_EQ(x(left, 0), not_supported);
  EXPECT_EQ(x(left, 1), 7U);
  EXPECT_EQ(exit_code(), 0) << "an SMC's answer is between its caller and who answers";
  holds("1.6/register_host_smc_handler.true");
  holds("1.6/register_host_smc_handler.false");
  holds("8.2/smc64.elr");
  holds("8.3/forward");
}

// The handler has x0 to x17 of the host, and the host gets all of them back.
TEST_P(Handlers, HostSmcCarriesEighteenRegisters) {
  parameter("system.smc=1");
  run();
  EXPECT_EQ(lines("system: smc x0 0x0"), 1U);
  for (unsigned i = 1; i < 18; ++i)
    EXPECT_EQ(lines(fmt::format("system: smc x{} {:#x}", i, 0x1100 + i)), 1U);
  holds("8.3/registers");
}

// The handler finds ELR_EL2 at the SMC; 4 is added to what it leaves there, once.
TEST_P(Handlers, HostSmcHandlerSeesAndMovesElr) {
  parameter("system.elr=1");
  run();
  EXPECT_EQ(lines("system: smc c2000014 elr 1 then 1 1"), 1U);
  EXPECT_EQ(lines("system: smc c2000015 elr 1 then 0 1"), 1U);
  holds("8.2/smc64.elr_seen");
  holds("8.2/smc64.elr_moved");
}

// All of x0 to x17 by the command line: to a handler and back, to EL3 and back.
TEST_P(Handlers, SmcOfTheCommandLineHasSeventeenArguments) {
  op(SYSTEM_REGISTER, {SYSTEM_SMC});
  const Numbers arguments = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
  const auto taken = smc(0xc2000012, arguments);
  const auto left = smc(0xc2000099, arguments);
  run();
  EXPECT_EQ(x(left, 0), not_supported);
  for (unsigned i = 1; i < 18; ++i) {
    EXPECT_EQ(x(taken, i), 0x1000U + i);
    EXPECT_EQ(x(left, i), i);
  }
}

// PSCI's range never comes to a module, and bit 16 of the function id is left to the handler.
TEST_P(Handlers, PsciComesBeforeModules) {
  op(SYSTEM_REGISTER, {SYSTEM_SMC});
  const auto version = smc(0x84000000);
  const auto unknown = smc(0x8400001f, {1, 2, 3});
  const auto narrow = smc(0x84000001);
  const auto none = op(SYSTEM_COUNT, {SYSTEM_SMC});
  smc(0xc2010010);
  const auto hinted = op(SYSTEM_COUNT, {SYSTEM_SMC});
  run();
  EXPECT_EQ(x(version, 0), 0x10001U);
  EXPECT_EQ(x(unknown, 0), not_supported);
  for (unsigned i = 1; i < 4; ++i)
    EXPECT_EQ(x(unknown, i), 0U);
  EXPECT_EQ(x(narrow, 0), not_supported) << "CPU_SUSPEND's 32-bit form";
  EXPECT_EQ(answer(none), 0);
  EXPECT_EQ(answer(hinted), 1);
  EXPECT_EQ(x(hinted, 2), 0xc2010010U);
  holds("8.3/order");
  holds("8.3/psci.forwarded");
  holds("8.3/psci.unknown");
  holds("8.3/psci.32_bit_form");
  holds("8.3/raw_x0");
}

// 6.1 and 6.6 have one handler; 6.12 up to 16, of which the first that returns true wins.
TEST_P(Handlers, HostSmcHandlersAreOneOrAChain) {
  op(SYSTEM_REGISTER, {SYSTEM_SMC});
  const auto second = op(SYSTEM_REGISTER, {SYSTEM_SMC_SECOND});
  const auto both = smc(0xc2000010);
  const auto only_second = smc(0xc2000013);
  const auto seen = op(SYSTEM_COUNT, {SYSTEM_SMC_SECOND});
  const auto more = op(SYSTEM_REGISTER_SMC_LIST, {20});
  run();
  const bool chain = is(Generation::android16_6_12);
  EXPECT_EQ(answer(second), chain ? 0 : ebusy);
  EXPECT_EQ(x(both, 1), 0x111U) << "the first one's answer";
  EXPECT_EQ(x(only_second, 0), chain ? 0 : not_supported);
  EXPECT_EQ(answer(seen), chain ? 1 : 0) << "called for what the first one left";
  EXPECT_EQ(answer(more), chain ? 14 : 0);
  EXPECT_EQ(static_cast<std::int64_t>(x(more, 2)), ebusy);
  holds(chain ? "1.6/register_host_smc_handler.chain" : "1.6/register_host_smc_handler.single");
}

// What no class of ours is goes to the module's handler, which moves ELR_EL2 itself.
TEST_P(Handlers, DefaultTrapHandlerTakesTheRest) {
  parameter(fmt::format("system.trap={}", static_cast<int>(SYSTEM_TRAP)));
  const auto again = op(SYSTEM_REGISTER, {SYSTEM_TRAP});
  const auto seen = op(SYSTEM_COUNT, {SYSTEM_TRAP});
  run();
  EXPECT_EQ(lines("system: trapped 2 times"), 1U) << "the first time it left ELR_EL2 alone";
  EXPECT_EQ(answer(again), ebusy);
  EXPECT_EQ(x(seen, 2), 0x18U) << "a trapped MSR";
  holds("1.6/register_default_trap_handler.true");
  holds("1.6/register_default_trap_handler.single");
  holds("8.2/other");
  holds("8.2/other.elr");
}

// Nobody, or a handler that returns false: the hypervisor dies of it.
TEST_P(Handlers, ATrapThatNobodyTakesIsFatal) {
  parameter(fmt::format("system.trap={}", static_cast<int>(SYSTEM_HANDLERS)));
  run();
  EXPECT_EQ(exit_code(), 12);
  EXPECT_EQ(lines("nVHE hyp BUG at"), 1U);
  holds("1.6/register_default_trap_handler.none");
}
TEST_P(Handlers, ATrapThatTheHandlerRefusesIsFatal) {
  parameter(fmt::format("system.trap={}", static_cast<int>(SYSTEM_TRAP_REFUSING)));
  run();
  EXPECT_EQ(exit_code(), 12);
  EXPECT_EQ(lines("nVHE hyp BUG at"), 1U);
  holds("1.6/register_default_trap_handler.false");
}

// The PSCI notifier hears of a suspend before EL3 does, and not of other calls.
TEST_P(Handlers, PsciNotifierHearsOfSuspends) {
  constexpr std::uint64_t invalid_power_state = 0xfffe0000;
  const auto registered = op(SYSTEM_REGISTER, {SYSTEM_PSCI});
  const auto again = op(SYSTEM_REGISTER, {SYSTEM_PSCI});
  smc(0x84000000);
  const auto none = op(SYSTEM_COUNT, {SYSTEM_PSCI});
  const auto suspended = smc(0xc4000001, {invalid_power_state});
  const auto cpu = op(SYSTEM_COUNT, {SYSTEM_PSCI});
  smc(0xc400000e);
  const auto system = op(SYSTEM_COUNT, {SYSTEM_PSCI});
  run();
  EXPECT_EQ(answer(registered), 0);
  EXPECT_EQ(answer(again), ebusy);
  EXPECT_EQ(answer(none), 0);
  EXPECT_EQ(static_cast<std::int64_t>(x(suspended, 0)), -2) << "EL3: invalid parameters";
  EXPECT_EQ(answer(cpu), 1);
  EXPECT_EQ(x(cpu, 2), 0xc4000001U) << "notification 0, the host's x0";
  EXPECT_EQ(answer(system), 2);
  EXPECT_EQ(x(system, 2), notified(1, 0xc400000e));
  holds("1.6/register_psci_notifier.single");
  holds("8.3/notifier.cpu_suspend");
  holds("8.3/notifier.system_suspend");
}

// Standby: the call returns EL3's status, and nobody entered anything.
TEST_P(Handlers, StandbyComesBackFromTheCall) {
  op(SYSTEM_REGISTER, {SYSTEM_PSCI});
  const auto suspended = psci("suspend");
  const auto heard = op(SYSTEM_COUNT, {SYSTEM_PSCI});
  psci("suspend", {0});
  const auto again = op(SYSTEM_COUNT, {SYSTEM_PSCI});
  run();
  EXPECT_EQ(exit_code(), 0);
  EXPECT_EQ(x(suspended, 0), 0U);
  EXPECT_EQ(answer(heard), 1);
  EXPECT_EQ(x(heard, 2), notified(0, 0xc4000001));
  EXPECT_EQ(answer(again), 2);
  holds("8.3/notifier.standby");
}

// Powerdown: every register is lost. The CPU enters EL2, the module hears of it with the host's
// context id in x0, and the host goes on at its entry point, as deprivileged as before. QEMU's EL3
// takes powerdown for standby.
TEST_P(Handlers, PowerdownComesBackThroughEl2) {
  constexpr std::uint64_t powerdown = 0x10000;
  load("pages");
  call("pages_hvc", {4, 0x50000});
  op(SYSTEM_REGISTER, {SYSTEM_PSCI});
  psci("suspend", {powerdown});
  const auto heard = op(SYSTEM_COUNT, {SYSTEM_PSCI});
  psci("suspend", {powerdown});
  const auto again = op(SYSTEM_COUNT, {SYSTEM_PSCI});
  touch("r:0x50000000");
  const auto closed = hvc(0xc600000f);
  run_on_our_machine();
  EXPECT_EQ(exit_code(), 0);
  EXPECT_EQ(lines("psci suspend(0x10000): resumed at its entry point"), 2U);
  EXPECT_EQ(answer(heard), 2) << "CPU_SUSPEND, then CPU_ENTRY";
  EXPECT_EQ(x(heard, 2) >> 56, 2U);
  EXPECT_EQ(x(heard, 2) >> 30 & 3, 1U) << "the kernel's context lies in RAM";
  EXPECT_EQ(answer(again), 4);
  EXPECT_EQ(lines("touch r:0x50000000: data abort, refused by the hypervisor"), 1U);
  EXPECT_EQ(x(closed, 0), not_supported);
  test::holds("8.3/notifier.cpu_entry", id(), HeldOn::machine);
  test::holds("8.3/notifier.protected_again", id(), HeldOn::machine);
  test::holds("8.3/psci.suspend_relayed", id(), HeldOn::machine);
}

// Before deprivilege too, and with any width of addresses.
TEST_P(Handlers, PowerdownBeforeDeprivilege) {
  parameter("pkvmemu.va_bits=48");
  psci("early suspend", {0x10000});
  psci("suspend", {0x10000});
  run_on_our_machine();
  EXPECT_EQ(exit_code(), 0);
  EXPECT_EQ(lines("resumed at its entry point"), 2U);
}

// The rest of PSCI answers, and notifies nobody.
TEST_P(Handlers, OtherPsciCallsNotifyNobody) {
  op(SYSTEM_REGISTER, {SYSTEM_PSCI});
  const auto version = psci("version");
  const auto known = psci("features", {0xc4000001});
  const auto unknown = psci("features", {0xc400000e});
  const auto here = psci("affinity-info");
  const auto nowhere = psci("affinity-info", {1});
  const auto trusted_os = psci("migrate-info-type");
  const auto this_cpu = psci("on", {0});
  const auto no_cpu = psci("on", {1});
  const auto none = op(SYSTEM_COUNT, {SYSTEM_PSCI});
  run();
  EXPECT_EQ(x(version, 0), 0x10001U);
  EXPECT_EQ(x(known, 0), 0U);
  EXPECT_EQ(x(unknown, 0), not_supported);
  EXPECT_EQ(x(here, 0), 0U) << "on";
  EXPECT_EQ(static_cast<std::int64_t>(x(nowhere, 0)), -2);
  EXPECT_EQ(x(trusted_os, 0), 2U);
  EXPECT_EQ(static_cast<std::int64_t>(x(this_cpu, 0)), -4);
  EXPECT_EQ(static_cast<std::int64_t>(x(no_cpu, 0)), -2);
  EXPECT_EQ(answer(none), 0);
  holds("8.3/notifier.others");
  holds("8.3/psci.cpu_on");
}

// What switches off or resets does not come back; the run is good.
TEST_P(Handlers, PsciEndsTheRun) {
  for (const char* function : {"off", "system-off", "system-reset"}) {
    SCOPED_TRACE(function);
    const auto run = run_emulator({own("system"), "--psci", function});
    EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
    EXPECT_EQ(run.report.at("calls").at(0).at("state"), "ended");
  }
  const auto later = run_emulator({own("system"), "--psci", "system-off", "--psci", "version"});
  EXPECT_EQ(later.process.exit_code, 11) << "the second one was not made";
  test::holds("8.3/psci.end", id(), HeldOn::machine);
}

// The panic notifier runs first thing, with the host's registers.
TEST_P(Handlers, PanicNotifierHearsOfAPanic) {
  load("serial");
  const auto registered = op(SYSTEM_REGISTER, {SYSTEM_PANIC});
  const auto again = op(SYSTEM_REGISTER, {SYSTEM_PANIC});
  op(SYSTEM_BUG);
  run();
  EXPECT_EQ(exit_code(), 12);
  EXPECT_EQ(answer(registered), 0);
  EXPECT_EQ(answer(again), ebusy);
  EXPECT_EQ(lines("EL2| system: panic, the host's x1 was"), 1U);
  EXPECT_EQ(lines("EL2| 0x000000000000000e"), 1U);
  EXPECT_EQ(lines("nVHE hyp BUG at"), 1U);
  holds("1.6/register_hyp_panic_notifier.single");
  holds("8.5/notifier");
}

// SErrors are EL2's while it works for the host, when the module's function says so; masked again
// on the way out and around a forwarded SMC.
TEST_P(LaterHandlers, SErrorsAreUnmaskedWhileEl2Works) {
  constexpr std::uint64_t hcr_amo = 1U << 5;
  constexpr std::uint64_t daif_a = 1U << 8;
  const auto half = op(SYSTEM_REGISTER, {SYSTEM_SERROR_HALF});
  const auto before = op(SYSTEM_READ_HCR);
  const auto registered = op(SYSTEM_REGISTER, {SYSTEM_SERROR});
  const auto again = op(SYSTEM_REGISTER, {SYSTEM_SERROR});
  const auto inside = op(SYSTEM_READ_HCR);
  const auto masked = op(SYSTEM_COUNT, {SYSTEM_SERROR_MASK});
  smc(0xc2000099);
  const auto after_smc = op(SYSTEM_COUNT, {SYSTEM_SERROR_MASK});
  run();
  EXPECT_EQ(answer(half), einval);
  EXPECT_EQ(x(before, 1) & hcr_amo, 0U);
  EXPECT_EQ(x(before, 2) & daif_a, daif_a);
  EXPECT_EQ(answer(registered), 0);
  EXPECT_EQ(answer(again), ebusy);
  EXPECT_EQ(x(inside, 1) & hcr_amo, hcr_amo);
  EXPECT_EQ(x(inside, 2) & daif_a, 0U);
  EXPECT_EQ(answer(after_smc), answer(masked) + 3) << "twice for the SMC, once for the count";
  holds("1.6/register_unmask_serror.null");
  holds("1.6/register_unmask_serror.twice");
  holds("1.6/register_unmask_serror.true");
  holds("1.6/register_unmask_serror.smc");
}

// A function that says no leaves them masked.
TEST_P(LaterHandlers, SErrorsStayMaskedWhenTheModuleSaysSo) {
  constexpr std::uint64_t daif_a = 1U << 8;
  op(SYSTEM_REGISTER, {SYSTEM_SERROR_KEEPS});
  const auto inside = op(SYSTEM_READ_HCR);
  const auto asked = op(SYSTEM_COUNT, {SYSTEM_SERROR_KEEPS});
  run();
  EXPECT_EQ(x(inside, 1) & 0x20U, 0U);
  EXPECT_EQ(x(inside, 2) & daif_a, daif_a);
  EXPECT_EQ(answer(asked), 2);
  holds("1.6/register_unmask_serror.false");
}

// A callback of another type than its slot's is caught when the hypervisor calls it.
TEST_P(LaterHandlers, ACallbackOfAnotherTypeIsCaught) {
  const auto registered = op(SYSTEM_REGISTER, {SYSTEM_SMC_WRONG_TYPE});
  smc(0xc2000010);
  run();
  EXPECT_EQ(answer(registered), 0) << "registration looks at nothing";
  EXPECT_EQ(exit_code(), 12);
  EXPECT_EQ(lines("nVHE hyp CFI failure at"), 1U);
  holds("1.8/kcfi.callback");
}

// 6.12's guest SMC handlers: a list of 16. Nobody calls them before guests run.
TEST_P(LaterHandlers, GuestSmcHandlersAreAList) {
  std::vector<std::size_t> registered;
  for (unsigned i = 0; i < 17; ++i)
    registered.push_back(op(SYSTEM_REGISTER, {SYSTEM_GUEST_SMC}));
  if (!is(Generation::android16_6_12)) GTEST_SKIP() << "6.6.77 has no such op";
  run();
  for (const std::size_t call : std::span(registered).first(16))
    EXPECT_EQ(answer(call), 0);
  EXPECT_EQ(answer(registered.back()), ebusy);
  holds("1.6/register_guest_smc_handler.list");
}

}  // namespace
}  // namespace pkvmemu::test
