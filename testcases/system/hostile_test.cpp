// SPDX-License-Identifier: GPL-2.0-only
// Modules that do harm, at EL1 and through the hypervisor's operations: the run ends, by a panic or
// by its budget, and the verdict says which and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "harness/emulator.h"
#include "modules/memory/operations.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

struct Deed {
  std::string name;
  int exit_code;
  std::string verdict;  ///< a line of it

  friend void PrintTo(const Deed& deed, std::ostream* out) { *out << deed.name; }
};

std::string test_name(const testing::TestParamInfo<Deed>& instance) {
  std::string name = instance.param.name;
  std::erase(name, '-');
  return name;
}

class HostileInit : public testing::TestWithParam<Deed> {};
INSTANTIATE_TEST_SUITE_P(
    Hostile, HostileInit,
    testing::Values(
        Deed{"nothing", 10, "init returned -22 (EINVAL)"},
        Deed{"loop", 14, "run: instruction budget spent"}, Deed{"recursion", 13, "host panic: "},
        Deed{"huge-allocation", 10, "init returned -12 (ENOMEM)"},
        Deed{"all-memory", 10, "init returned -12 (ENOMEM)"},
        Deed{"kernel-text", 13, "host panic: data abort at "}, Deed{"stack", 13, "host panic: "},
        Deed{"null-write", 13, "host panic: data abort at do_null_write"},
        Deed{"null-call", 13, "host panic: "}, Deed{"data-call", 13, "host panic: "},
        Deed{"undefined", 13, "host panic: undefined instruction at do_undefined"},
        Deed{"break", 13, "host panic: "}, Deed{"wait", 14, "run: "}, Deed{"mmu-off", 14, "run: "},
        Deed{"bad-vectors", 14, "run: "}, Deed{"bad-call", 10, "init returned -1 (EPERM)"}),
    test_name);

// What the module did to its kernel is the end of the run, not of the emulator.
TEST_P(HostileInit, EndsWithAVerdict) {
  const auto run = run_emulator(
      {module("hostile"), "--cmdline", "hostile.deed=" + GetParam().name, "--budget", "50M"});
  EXPECT_EQ(run.process.exit_code, GetParam().exit_code) << run.process.out << run.process.err;
  const auto lines = split_lines(run.process.out);
  EXPECT_THAT(lines, Contains(HasSubstr(GetParam().verdict))) << run.process.out;
  EXPECT_THAT(lines, Contains(HasSubstr("module hostile: NOT loaded: ")));
  EXPECT_THAT(lines, Contains(HasSubstr("protected VMs: NOT available: ")));
  EXPECT_EQ(run.report.at("exit").at("code"), GetParam().exit_code);
}

// EL2's own code faults on what a module hands it, after the host has lost sight of EL2's image:
// the panic is reported all the same, as the hypervisor's.
TEST(HostileHandler, FaultInsideTheHypervisor) {
  const auto run = run_emulator(
      {module("memory"), "--call", "memory_hvc:" + std::to_string(MEMORY_FILL) + ",0xffffff,0"});
  EXPECT_EQ(run.process.exit_code, 12) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains(HasSubstr("nVHE hyp panic at: [<"))) << run.process.out;
  EXPECT_THAT(run.console, Contains(HasSubstr("HYP panic:")));
  EXPECT_THAT(split_lines(run.process.out), Contains(HasSubstr("hyp panic: write to 0x")));
}

}  // namespace
}  // namespace pkvmemu::test
