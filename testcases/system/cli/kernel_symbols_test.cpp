// SPDX-License-Identifier: GPL-2.0-only
// What EL1 halves import: declared stubs in a run, under QEMU, and in `inspect`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "harness/emulator.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

ProcessResult inspect(Arguments arguments) {
  arguments.insert(arguments.begin(), {PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "inspect"});
  return run_process(arguments);
}

// A module that finds none of the hardware loads, and each stub answers as its row says; the
// console tells of each once, the report counts.
TEST(DeclaredStubs, AnswerAsTheirRowsSay) {
  const auto run = run_emulator({module("declared")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("declared: folder -19, file -19"));
  EXPECT_THAT(run.console, Contains("declared: misc device 0"));
  EXPECT_THAT(run.console, Contains("declared: firmware -2"));
  EXPECT_THAT(run.console, Contains("declared: firmware again -2"));
  EXPECT_THAT(lines_with(run.console, "stub: request_firmware() answers -2"), SizeIs(1));
  EXPECT_THAT(run.report.at("stub_uses"),
              Contains(nlohmann::json::parse(
                  R"({"symbol": "request_firmware", "count": 2, "declared": true})")));
  EXPECT_THAT(
      run.process.out,
      HasSubstr("stub request_firmware: called 2 times, returns -ENOENT because there are no "
                "firmware files"));
  EXPECT_THAT(run.report.at("modules").at(0).at("stubbed"), IsEmpty());
}

// The same job says the same under QEMU.
TEST(DeclaredStubs, QemuSaysTheSame) {
  EXPECT_EQ(run_qemu({module("declared")}), run_emulator({module("declared")}).console);
}

// The bad twin: what no table has is refused beside them.
TEST(DeclaredStubs, OtherNamesAreRefused) {
  const auto run = run_emulator({module("unresolved")});
  EXPECT_EQ(run.process.exit_code, 10);
  EXPECT_THAT(run.console, Contains("unresolved: Unknown symbol vendor_probe (err -2)"));
}

// `inspect` says it before any run, as text and as JSON, and finds nothing wrong with it.
TEST(DeclaredStubs, InspectShowsThem) {
  const auto text = inspect({module("declared")});
  EXPECT_EQ(text.exit_code, 0) << text.out << text.err;
  EXPECT_THAT(text.out, HasSubstr("stubbed: returns ERR_PTR(-ENODEV) because there is no debugfs"));
  const auto json = inspect({module("declared"), "--json"});
  EXPECT_THAT(nlohmann::json::parse(json.out).at("imports"),
              Contains(nlohmann::json::parse(
                  R"({"name": "release_firmware", "state": "stubbed", "from": null,
                      "stub": "returns nothing because there are no firmware files"})")));
}

// Exported functions answer as a kernel's do: values worked out by hand from what the module does.
TEST(ExportedSymbols, AnswerAsAKernelDoes) {
  const auto run = run_emulator({module("collections")});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  for (const char* line :
       {"sorted: -8 -3 0 1 5 7 7 9 12", "searched: 8, 0", "idr: 5 6 7, full -28",
        "idr: found 1, removed 1, gone 1, again 0", "idr: sum 12, empty 1", "ida: 0 1 -28, then 0",
        "xarray: seen 31000, at 1000 0x30, nothing 1", "xarray: empty 1",
        "notified: 1212, absent -2", "of: pl011@9000000 at 0x9000000, second arm,primecell",
        "of: match 1, no match -61, no property -22, too short -75, kept 77", "of: clock apb-pclk",
        "of: no node 1, RAM is no device 1"})
    EXPECT_THAT(run.console, Contains(line));
  EXPECT_THAT(run.report.at("stub_uses"), IsEmpty());
  EXPECT_EQ(run_qemu({module("collections")}), run.console);
}

}  // namespace
}  // namespace pkvmemu::test
