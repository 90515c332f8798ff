// SPDX-License-Identifier: GPL-2.0-only
// From x0 to a handler (pkvm-abi.md 4.1 to 4.3, 5.1), as each generation has it.
#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"
#include "pkvm/hypercall.h"
#include "pkvm/smccc.h"

namespace pkvmemu::test {
namespace {

using pkvm::smccc::kvm_host_id;

constexpr std::uint64_t dynamic = kvm_host_id(pkvm::first_dynamic_call);
constexpr std::uint64_t upper = std::uint64_t{1} << 32;

class Dispatch : public OpsRun {
 protected:
  /// -1, and the arguments as they were.
  void is_unknown(std::size_t call) const {
    EXPECT_EQ(x(call, 0), not_supported) << call;
    for (unsigned i = 1; i < 4; ++i)
      EXPECT_EQ(x(call, i), 0x10U + i) << call;
  }
  std::size_t probe(std::uint64_t x0) { return hvc(x0, {0x11, 0x12, 0x13}); }
};
INSTANTIATE_TEST_SUITE_P(Generations, Dispatch, testing::ValuesIn(pkvm::generations),
                         generation_name);

// Only 6.1 has written 0 to x0 before it enters a module's handler.
TEST_P(Dispatch, X0BeforeADynamicHandler) {
  load("silent");
  const auto silent = call("silent_hvc");
  run();
  const std::uint64_t own_id = kvm_host_id(pkvm::first_dynamic_call + 1);
  EXPECT_EQ(x(silent, 0), GetParam().presets_dynamic_x0 ? 0 : own_id);
  EXPECT_EQ(x(silent, 1), x(silent, 0)) << "as the handler saw it";
  holds("4.3/dynamic.x0");
}

// A static call that exists starts with x0 = 0 everywhere.
TEST_P(Dispatch, X0OfAStaticHandler) {
  const auto number = *pkvm::hypercall_number(id(), pkvm::Hypercall::pkvm_host_share_hyp);
  const auto shared = hvc(kvm_host_id(number), {0x50000});
  const auto twice = hvc(kvm_host_id(number), {0x50000});
  run();
  EXPECT_EQ(x(shared, 0), 0U);
  EXPECT_EQ(answer(shared), 0);
  EXPECT_EQ(x(twice, 0), 0U) << "errors stand in x1";
  EXPECT_EQ(answer(twice), eperm);
  holds("4.3/static.x0");
}

// Bit 16 says that the caller has no SVE state: 6.6 and 6.12 strip it from any id, to 6.1 it is
// another number.
TEST_P(Dispatch, SveHint) {
  const auto share = *pkvm::hypercall_number(id(), pkvm::Hypercall::pkvm_host_share_hyp);
  const auto hinted = hvc(dynamic | pkvm::smccc::sve_hint, {SYSTEM_READ_HCR, 0x12, 0x13});
  const auto static_call = hvc(kvm_host_id(share) | pkvm::smccc::sve_hint, {0x50000, 0x12, 0x13});
  const auto shared = hvc(kvm_host_id(share), {0x50000});
  run();
  const bool stripped = GetParam().strips_sve_hint;
  for (const std::size_t call : {hinted, static_call})
    EXPECT_EQ(x(call, 0), stripped ? 0 : not_supported);
  EXPECT_EQ(answer(shared), stripped ? eperm : 0) << "whether the hinted call shared it";
  holds("4.3/sve_hint");
  holds("4.1/sve_hint.static");
}

// An id with one field of its own changed is nobody's; the number alone picks the handler.
TEST_P(Dispatch, EachFieldOfAnIdCounts) {
  const auto good = hvc(0xC600'0080, {SYSTEM_READ_HCR, 0x12, 0x13});
  const auto no_fast_call = probe(dynamic & ~std::uint64_t{0x8000'0000});
  const auto convention_32 = probe(dynamic & ~std::uint64_t{0x4000'0000});
  std::vector<std::size_t> owners;
  for (const std::uint64_t owner : {0U, 1U, 4U, 5U, 7U, 0x30U, 0x3FU})
    owners.push_back(probe((dynamic & ~std::uint64_t{0x3F00'0000}) | owner << 24U));
  std::vector<std::size_t> reserved;
  for (unsigned bit = 17; bit < 24; ++bit)
    reserved.push_back(probe(dynamic | std::uint64_t{1} << bit));
  // By so much below the range that the difference, as 32 bits, is far above it.
  const auto below = probe(dynamic - 0x8000'0000U);
  const auto just_below = probe(kvm_host_id(0) - 1);
  run();
  EXPECT_EQ(x(good, 0), 0U);
  is_unknown(no_fast_call);
  is_unknown(convention_32);
  for (const std::size_t call : owners)
    is_unknown(call);
  for (const std::size_t call : reserved)
    is_unknown(call);
  is_unknown(below);
  is_unknown(just_below);
  for (const std::string_view row : {"4.1/first_dynamic", "4.1/fast_call", "4.1/convention",
                                     "4.1/owner", "4.1/reserved", "4.3/signed"})
    holds(row);
}

// The instruction's immediate is not looked at.
TEST_P(Dispatch, ImmediateDoesNotCount) {
  parameter("system.immediate=1");
  run();
  EXPECT_EQ(lines("system: immediate x0 0 same 1"), 1U);
  holds("4.1/immediate");
}

// The upper half of x0 counts for static calls, and does not for dynamic ones, whose index is an
// int.
TEST_P(Dispatch, UpperHalfOfX0) {
  const auto number = *pkvm::hypercall_number(id(), pkvm::Hypercall::pkvm_host_share_hyp);
  const auto dynamic_call = hvc(upper | dynamic, {SYSTEM_COUNT, 0});
  const auto static_call = probe(upper | kvm_host_id(number));
  run();
  EXPECT_EQ(x(dynamic_call, 0), 0U);
  is_unknown(static_call);
  holds("4.3/upper_half.dynamic");
  holds("4.3/upper_half.static");
}

// Numbers that nobody has, of either table, and ids of other owners: -1, arguments untouched.
TEST_P(Dispatch, UnknownIds) {
  const std::vector<std::size_t> unknown = {
      probe(kvm_host_id(129)),    probe(kvm_host_id(200)),
      probe(kvm_host_id(255)),    probe(kvm_host_id(256)),
      probe(kvm_host_id(0xffff)), probe(kvm_host_id(GetParam().static_calls)),
      probe(kvm_host_id(127)),
  };
  const std::vector<std::size_t> foreign = {
      probe(0x8400'0000), probe(0x8000'0000), probe(0xC500'0001), probe(0),
      probe(1),           probe(2),           probe(3),           probe(0x8600'0000),
  };
  run();
  for (const std::size_t call : unknown)
    is_unknown(call);
  for (const std::size_t call : foreign)
    is_unknown(call);
  holds("4.3/dynamic.unregistered");
  holds("4.3/static.unknown");
  holds("4.3/foreign");
  holds("4.5/stub_numbers");
}

// After finalisation everything below prot_finalize is closed, and prot_finalize itself is -EPERM.
TEST_P(Dispatch, EarlyCallsAreClosedAfterFinalisation) {
  const unsigned split = GetParam().first_late_call;
  std::vector<std::size_t> closed;
  for (unsigned number = 0; number < split; ++number)
    closed.push_back(probe(kvm_host_id(number)));
  const auto finalize = hvc(kvm_host_id(split));
  run();
  for (const std::size_t call : closed)
    is_unknown(call);
  EXPECT_EQ(x(finalize, 0), 0U);
  EXPECT_EQ(answer(finalize), eperm);
  holds("4.3/static.too_early");
  holds("5.1/split");
  EXPECT_LT(*pkvm::hypercall_number(id(), pkvm::Hypercall::pkvm_register_hcall), split);
  holds("4.2/phase");
}

// A NULL handler takes a number of its own and behaves as if nobody had registered it.
TEST_P(Dispatch, NullHandler) {
  parameter("system.null=1");
  load("silent");
  const auto null_call = probe(kvm_host_id(129));
  const auto silent = call("silent_hvc");
  run();
  EXPECT_EQ(lines("system: null handler 129"), 1U);
  is_unknown(null_call);
  EXPECT_NE(x(silent, 0), not_supported) << "the next one is 130";
  holds("4.2/null");
  holds("4.3/dynamic.null");
}

// 128 handlers in all, 128 to 255, over all modules.
TEST_P(Dispatch, HandlersAreNumberedOverAllModules) {
  load("manyhandlers");
  const auto last = probe(kvm_host_id(255));
  run();
  EXPECT_EQ(lines("127 registered, last 255, then -12"), 1U);
  EXPECT_NE(x(last, 0), not_supported);
  holds("4.2/full");
  holds("4.2/duplicates");
  holds("4.2/numbers");
}

// x0 to x30 come back as the handler left them; what it does not touch is as it was.
TEST_P(Dispatch, RegistersComeBack) {
  const auto seen = hvc(dynamic, {SYSTEM_COUNT, 0, 0x33, 0x44, 0x55, 0x66, 0x77});
  run();
  for (unsigned i = 3; i < 8; ++i)
    EXPECT_EQ(x(seen, i), i * 0x11U);
  holds("4.4/arguments");
  holds("4.4/results");
}

}  // namespace
}  // namespace pkvmemu::test
