// SPDX-License-Identifier: GPL-2.0-only
// Calls from one module's EL2 half into another's (pkvm-abi.md 2.7): the samples el2lib and
// el2user, and their bad twins.
#include "conformance/ops/ops_fixture.h"
#include "harness/generation_printer.h"

namespace pkvmemu::test {
namespace {

class ImportRun : public OpsRun {};
INSTANTIATE_TEST_SUITE_P(Generations, ImportRun,
                         testing::Values(pkvm::info(pkvm::Generation::android16_6_12)),
                         generation_name);

// Named first, the user is loaded second; its EL2 half calls that of the library, whose state is
// one for all callers.
TEST_P(ImportRun, OneEl2HalfCallsAnother) {
  load("el2user");
  load("el2lib");
  const auto first = call("el2user_hvc", {0, 5});
  const auto second = call("el2user_hvc", {3, 7});
  const auto refused = call("el2user_hvc", {8, 7});
  run();
  EXPECT_EQ(x(first, 1), 6U);
  EXPECT_EQ(x(second, 1), 7U);
  EXPECT_EQ(x(second, 2), 13U);
  EXPECT_EQ(answer(refused), einval);
  EXPECT_EQ(exit_code(), 0);
  holds("2.7/call");
}

/// A library and its user of which one is wrong: what the report says of the user.
struct Twin {
  std::string user;
  std::string library;
  std::string words;
  std::string row;
};

class BadImport : public testing::TestWithParam<Twin> {};
INSTANTIATE_TEST_SUITE_P(
    Twins, BadImport,
    testing::Values(
        Twin{"el2user_kept", "el2lib_kept",
             "calls el2lib_add, which no EL2 half that is loaded has", "2.7/exporter_loaded"},
        Twin{"el2user_first", "el2lib_first", "behind its first byte", "2.7/first_byte"},
        Twin{"el2user_pointer", "el2lib", "only calls (R_AARCH64_CALL26) can be imported",
             "2.7/calls_only"}),
    [](const auto& instance) { return instance.param.user; });

// The load fails with its reason, and is a reason to wipe the firmware like any other.
TEST_P(BadImport, IsRefusedByName) {
  const auto own = [](const std::string& name) { return module("android16-6.12/" + name); };
  const Arguments arguments = {own(GetParam().library), own(GetParam().user)};
  const EmulatorRun run = run_emulator(arguments);
  EXPECT_EQ(run.process.exit_code, 10);
  const std::string told = run.report.dump();
  EXPECT_NE(told.find(GetParam().words), std::string::npos) << told;
  EXPECT_EQ(lines_with(run.console, "Clearing pKVM firmware memory").size(), 1U);
  EXPECT_EQ(run_qemu(arguments), run.console) << "the second one is ours";
  holds(GetParam().row, pkvm::Generation::android16_6_12);
}

}  // namespace
}  // namespace pkvmemu::test
