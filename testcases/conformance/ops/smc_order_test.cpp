// SPDX-License-Identifier: GPL-2.0-only
// Who hears of a host SMC first (pkvm-abi.md 8.3): PSCI, FF-A, SCMI, modules, EL3; without FF-A at
// EL3, as on QEMU, and with one that a script plays.
#include <gmock/gmock.h>

#include <string>

#include "conformance/ops/ops_fixture.h"
#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/ffa.h"
#include "support/file.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
namespace ffa = pkvm::ffa;

constexpr std::uint64_t invalid_parameters = ~std::uint64_t{1};

class SmcOrder : public OpsRun {
 protected:
  static bool negotiates() { return is_since(Generation::android15_6_6); }
  /// How many SMCs the module's handler has heard of.
  std::size_t heard() { return op(SYSTEM_COUNT, {SYSTEM_SMC}); }
};
INSTANTIATE_TEST_SUITE_P(Generations, SmcOrder, testing::ValuesIn(pkvm::generations),
                         generation_name);

// A secure world without FF-A: 6.1 passes VERSION on to modules, later ones answer it. Other
// calls of the range are refused by the hypervisor: no handler hears of them.
TEST_P(SmcOrder, FfaComesBeforeModules) {
  op(SYSTEM_REGISTER, {SYSTEM_SMC});
  const auto version = smc(ffa::version, {ffa::version_1_0});
  const auto after_version = heard();
  const auto shared = smc(ffa::mem_share, {64, 64});
  const auto donated = smc(ffa::mem_donate, {1, 2, 3});
  const auto after_memory = heard();
  smc(ffa::id_get);
  const auto after_id = heard();
  const auto beyond = smc(0x8400'0080);
  const auto after_beyond = heard();
  run();
  const std::int64_t passed_on = negotiates() ? 0 : 1;
  EXPECT_EQ(x(version, 0), not_supported);
  EXPECT_EQ(answer(after_version), passed_on);
  EXPECT_EQ(x(shared, 0), ffa::error);
  EXPECT_EQ(x(shared, 2), invalid_parameters);
  EXPECT_EQ(x(donated, 0), ffa::error);
  EXPECT_EQ(x(donated, 1), 0U);
  EXPECT_EQ(x(donated, 2), negotiates() ? invalid_parameters : not_supported);
  EXPECT_EQ(x(donated, 3), 0U);
  EXPECT_EQ(answer(after_memory), passed_on);
  EXPECT_EQ(answer(after_id), 2 * passed_on);
  EXPECT_EQ(x(beyond, 0), not_supported);
  EXPECT_EQ(answer(after_beyond), (2 * passed_on) + 1) << "not FF-A's any more";
  holds("8.3/order.ffa");
}

// With FF-A at EL3 a version is agreed on, the host's buffers are shared, and what pKVM has no
// part in goes through modules to EL3.
TEST_P(SmcOrder, FfaOfAScriptIsReached) {
  const ScratchDirectory scratch;
  const std::string script = (scratch.path() / "secure.yaml").string();
  const bool knows_1_1 = negotiates();
  ASSERT_TRUE(write_file(script, fmt::format(R"(
calls:
  - {{name: FFA_VERSION, id: 0x84000063, answer: {}}}
  - {{name: FFA_ID_GET, id: 0x84000069, answer: [0x84000061, 0, 0]}}
  - {{name: FFA_FEATURES, id: 0x84000064, answer: [0x84000061, 0, 0]}}
  - {{name: FFA_RXTX_MAP, id: 0xc4000066, answer: [0x84000061, 0, 0]}}
  - {{name: FFA_RXTX_UNMAP, id: 0x84000067, answer: [0x84000061, 0, 0]}}
  - {{name: FFA_RUN, id: 0x8400006d, answer: [0x84000062, 7]}}
)",
                                             knows_1_1 ? "0x10001" : "0x10000")));
  option("--el3", script);
  op(SYSTEM_REGISTER, {SYSTEM_SMC});
  const auto version = smc(ffa::version, {knows_1_1 ? ffa::version_1_1 : ffa::version_1_0});
  const auto mapped = smc(ffa::rxtx_map, {0x5000'0000, 0x5000'1000, 1});
  const auto again = smc(ffa::rxtx_map, {0x5000'0000, 0x5000'1000, 1});
  const auto before_run = heard();
  const auto ran = smc(0x8400'006d);
  const auto after_run = heard();
  const auto unmapped = smc(ffa::rxtx_unmap, {0});
  run_on_our_machine();
  EXPECT_EQ(x(version, 0), knows_1_1 ? ffa::version_1_1 : ffa::version_1_0);
  EXPECT_EQ(x(mapped, 0), ffa::success);
  EXPECT_EQ(x(again, 0), ffa::error);
  EXPECT_EQ(x(again, 2), static_cast<std::uint64_t>(-6)) << "DENIED: once at a time";
  EXPECT_EQ(answer(after_run), answer(before_run) + 1);
  EXPECT_EQ(x(ran, 1), 7U);
  EXPECT_EQ(x(unmapped, 0), ffa::success);
  test::holds("8.3/ffa.scripted", id(), HeldOn::machine);
}

}  // namespace
}  // namespace pkvmemu::test
