// SPDX-License-Identifier: GPL-2.0-only
// What a protected guest does that its hypervisor traps (pkvm-abi.md 8.4), and modules beside
// guests: their SMC handlers, and memory that they took or protected before a guest starts.
#include "conformance/every_generation.h"
#include "modules/memory/operations.h"
#include "modules/system/operations.h"

namespace pkvmemu::test {
namespace {

using pkvm::Generation;
using testing::IsSupersetOf;

class GuestExits : public GenerationTest {
 protected:
  void holds(std::string_view row) const { test::holds(row, id()); }
  static bool has_handlers() { return exists_since(Generation::android16_6_12); }
  static std::string system(system_operation operation, std::uint64_t argument) {
    return fmt::format("system_hvc:{},{}", static_cast<int>(operation), argument);
  }
  static std::string memory(memory_operation operation, std::string_view arguments) {
    return fmt::format("memory_hvc:{},{}", static_cast<int>(operation), arguments);
  }
  static std::vector<std::string> guest_lines(const EmulatorRun& run) {
    return run.report.at("guests").at(0).at("console").get<std::vector<std::string>>();
  }
};

INSTANTIATE_TEST_SUITE_P(Generations, GuestExits, testing::ValuesIn(pkvm::generations),
                         generation_slug);

// Without a module an SMC is an unknown call, of whichever kind of guest; a protected one sees no
// feature that it may not use, writes ACTLR_EL1 in vain, gets an undefined exception for a register
// of the implementation, and goes on after waiting.
TEST_P(GuestExits, TrappedInstructionsAreAnswered) {
  holds("8.4/smc.unknown");
  const auto run = run_on_both({own("hello"), "--pvm=traps"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(
      guest_lines(run),
      IsSupersetOf({"smc 0xc2000020: x0 0xffffffffffffffff, x1 0x5, x17 0x0",
                    "smc 0x84000000: x0 0xffffffffffffffff, x1 0x5, x17 0x0", "EL2 0, EL3 0, SVE 0",
                    "ACTLR_EL1 0x0", "an implementation's own register: ESR 0x2000000", "waited"}));
}

// Handlers are asked in the order of their registration until one takes the call, whose results are
// x0 to x17; what nobody takes is -1. The standard services are offered to nobody.
TEST_P(GuestExits, HandlersAreAskedInOrder) {
  if (!has_handlers()) GTEST_SKIP() << "a hook of 6.12";
  const auto run = run_on_both({own("system"), "--call", system(SYSTEM_REGISTER, SYSTEM_GUEST_SMC),
                                "--call", system(SYSTEM_REGISTER, SYSTEM_GUEST_SMC_SECOND),
                                "--pvm=traps", "--call", system(SYSTEM_COUNT, SYSTEM_GUEST_SMC),
                                "--call", system(SYSTEM_COUNT, SYSTEM_GUEST_SMC_SECOND)});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(guest_lines(run),
              IsSupersetOf({"smc 0xc2000020: x0 0x0, x1 0x6, x17 0x17",
                            "smc 0xc2000021: x0 0x0, x1 0x7, x17 0x0",
                            "smc 0xc2000022: x0 0xffffffffffffffff, x1 0x5, x17 0x0",
                            "smc 0x84000000: x0 0xffffffffffffffff, x1 0x5, x17 0x0",
                            "smc 0xc40001cf: x0 0xffffffffffffffff, x1 0x5, x17 0x0"}));
  EXPECT_EQ(x(run, 2, 1), "0x3") << "all but the standard services";
  EXPECT_EQ(x(run, 2, 2), "0x1000") << "the VM's handle";
  EXPECT_EQ(x(run, 3, 1), "0x2") << "what the first did not take";
  EXPECT_EQ(x(run, 3, 2), "0xc2000022");
  for (const char* row : {"8.4/handlers.order", "8.4/handlers.results", "8.4/handlers.unhandled",
                          "8.4/handlers.standard_services"})
    holds(row);
}

// What a module protected before a guest starts stays so while guests live and afterwards.
TEST_P(GuestExits, ProtectedMemoryStaysProtectedBesideGuests) {
  holds("1.7/beside_guests");
  const auto run = run_on_both(
      {own("memory"), "--call", "early " + memory(MEMORY_MOD_PROT, "0x50000,4,1,0"), "--call",
       "early " + memory(MEMORY_MOD_PROT, "0x50001,0,1,0"), "--pvm", "--vm", "--touch",
       "r:0x50000000", "--touch", "w:0x50000000=1", "--touch", "r:0x50001000", "--attack=map-*"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  const auto& touches = run.report.at("touches");
  EXPECT_EQ(touches.at(0).at("state"), "done");
  EXPECT_EQ(touches.at(1).at("state"), "aborted");
  EXPECT_EQ(touches.at(2).at("state"), "aborted");
}

}  // namespace
}  // namespace pkvmemu::test
