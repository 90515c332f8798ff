// SPDX-License-Identifier: GPL-2.0-only
// A protected guest's memory is its own (pkvm-abi.md 7.7, 9.3): while it lives the host's accesses
// are refused with the syndrome that is specified, and afterwards every page is the host's again
// and zero.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <string>

#include "every_generation.h"
#include "harness/in_process.h"
#include "modules/memory/operations.h"
#include "pkvm/platform.h"
#include "support/bits.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::MatchesRegex;
using testing::Not;

class GuestMemory : public GenerationTest {};
INSTANTIATE_TEST_SUITE_P(Generations, GuestMemory, testing::ValuesIn(pkvm::generations),
                         generation_slug);

/// ESR_EL1 of the host's access, as the kernel told it.
std::uint64_t syndrome_of(const EmulatorRun& run, const std::string& what) {
  const auto lines = lines_with(run.console, "pvm secret: the host " + what + " the page: ");
  EXPECT_EQ(lines.size(), 1U) << what;
  const std::string_view key = "ESR ";
  const std::size_t at = lines.empty() ? std::string::npos : lines[0].find(key);
  return at == std::string::npos ? 0 : std::stoull(lines[0].substr(at + key.size()), nullptr, 16);
}

// Read, execute and write: aborts of the host's own exception level with S1PTW set, translation
// faults; and the guest finds its page as it was.
TEST_P(GuestMemory, IsClosedToTheHost) {
  for (const char* row : {"7.7/injected_abort", "7.7/identity_map.annotated", "7.7/result_eperm",
                          "9.3/host_map_guest"})
    holds(row, id());
  const auto run = run_on_both({own("hello"), "--pvm=secret"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  EXPECT_THAT(run.console, Contains("secret> the secret is untouched"));
  struct Access {
    const char* what;
    std::uint64_t exception_class;
    bool write;
  };
  for (const auto& [what, exception_class, write] :
       {Access{.what = "reads", .exception_class = 0x25, .write = false},
        Access{.what = "executes", .exception_class = 0x21, .write = false},
        Access{.what = "writes", .exception_class = 0x25, .write = true}}) {
    const std::uint64_t esr = syndrome_of(run, what);
    EXPECT_EQ(bits(esr, 31, 26), exception_class) << what;
    EXPECT_TRUE(test_bit(esr, 7)) << what << ": S1PTW marks what the hypervisor refused";
    EXPECT_EQ(test_bit(esr, 6), write) << what;
    EXPECT_EQ(bits(esr, 5, 2), 1U) << what << ": a translation fault";
  }
}

// The bad twin: of an ordinary guest's page the host can have all three.
TEST_P(GuestMemory, OfAnOrdinaryGuestIsOpen) {
  const auto run = run_on_both(
      {"--vm=secret", "--cmdline", fmt::format("pkvmemu.generation={}", GetParam().kmi)});
  EXPECT_THAT(run.console, Contains("secret> the host was here"));
  for (const char* what : {"reads", "executes", "writes"})
    EXPECT_THAT(run.console, Contains(fmt::format("vm secret: the host {} the page: done", what)));
}

// After the guest is gone the host reads every page of its as zeros, and nothing of its secret is
// left anywhere in RAM; while the payload's own constant is, in the program that the kernel
// carries.
TEST_P(GuestMemory, ComesBackZeroed) {
  holds("9.3/reclaim_dying_guest_page", id());
  holds("9.3/finalize_teardown_vm", id());
  holds("7.6/guests", id());
  const auto run = run_on_both({own("hello"), "--pvm=secret"});
  EXPECT_THAT(run.console,
              Contains(MatchesRegex("pvm secret: all [1-9][0-9]* pages came back zeroed")));

  for (const bool is_protected : {true, false}) {
    tool::RunOptions options;
    options.cmdline = fmt::format("pkvmemu.generation={}", GetParam().kmi);
    options.wishes.push_back({.verb = is_protected ? tool::RcVerb::pvm : tool::RcVerb::vm,
                              .target = "secret",
                              .args = {}});
    constexpr std::uint64_t ram_size = 256 << 20;
    const auto machine = boot_in_process(options, ram_size);
    ASSERT_EQ(machine->run().reason, machine::ExitReason::powered_off);
    const auto ram = machine->memory(Pa{pkvm::platform::ram_base}, ram_size).value();
    constexpr std::uint64_t secret_word = 0x5ec2'e700'5ec2'e700 + 500;  // of secret.cpp's page
    std::size_t found = 0;
    for (std::size_t at = 0; at < ram.size(); at += sizeof(std::uint64_t))
      found += std::memcmp(ram.data() + at, &secret_word, sizeof(secret_word)) == 0 ? 1U : 0U;
    EXPECT_EQ(found, is_protected ? 0U : 1U) << "an ordinary guest's page keeps what was in it";
  }
}

// A refused guest got no page: nothing is said of pages that came back.
TEST_P(GuestMemory, OfAGuestThatNeverRanIsNotSpokenOf) {
  const auto run = run_on_both({own("initfail"), "--pvm"});
  EXPECT_THAT(lines_with(run.console, "all 0 pages"), testing::IsEmpty());
}

// Pages that a module owns go into no guest, though the host may still read and write them: the
// first of them that a guest would get ends its run with -EPERM, and all are still the module's, to
// give up one by one. Without the module the same guest gets them and runs.
TEST_P(GuestMemory, IsNoneOfAModules) {
  holds("7.6/guests.module_owned", id());
  constexpr std::uint64_t first = 0x40020,
                          end = 0x40080;  // where the kernel finds memory for guests
  constexpr unsigned no_execute = 6, all_rights = 7;
  const auto change = [](std::string_view phase, std::uint64_t frame, unsigned prot) {
    return fmt::format("{}memory_hvc:{},{:#x},{},1,0", phase, static_cast<int>(MEMORY_MOD_PROT),
                       frame, prot);
  };
  Arguments arguments = {own("memory")};
  for (std::uint64_t frame = first; frame < end; ++frame)
    arguments.insert(arguments.end(), {"--call", change("early ", frame, no_execute)});
  arguments.emplace_back("--pvm");
  for (std::uint64_t frame = first; frame < end; ++frame)
    arguments.insert(arguments.end(), {"--call", change("", frame, all_rights)});

  const auto run = run_on_both(arguments);
  EXPECT_THAT(run.console, Contains("pvm hello: run: -1"));
  EXPECT_THAT(run.console, Not(Contains("hello> hello from EL1 of a guest")));
  for (const auto& call : run.report.at("calls"))
    EXPECT_EQ(call.at("result").at(1), "0x0") << call.at("name") << call.at("args");

  const auto without = run_on_both({own("memory"), "--pvm"});
  EXPECT_THAT(without.console, Contains("hello> hello from EL1 of a guest"));
}

// The hypervisor learns of a VM when it is first run, not before: one that never runs is created
// and torn down without it, and the only call is for the kernel's own VM.
TEST_P(GuestMemory, IsAskedForByTheFirstRunOnly) {
  holds("9.2/first_run", id(), HeldOn::machine);
  const auto run = run_emulator({own("hello"), "--pvm=nosuch", "--fail", "vm.hvc.init_vm:nth=2"});
  EXPECT_THAT(run.console, Contains("pvm nosuch: create: 0"));
  EXPECT_THAT(run.console, Contains("pvm nosuch: tear down: 0"));
  EXPECT_EQ(run.report.at("faults").at(0).at("reached"), 1);
}

// A guest with firmware enters it with what the monitor gave it, and only then its program; one
// without starts in the program.
TEST_P(GuestMemory, HoldsTheFirmwareBeforeTheFirstInstruction) {
  holds("9.4/firmware_pages", id());
  holds("9.4/entry", id());
  const auto run = run_on_both({own("hello"), "--pvm", "--pvm=bare:hello"});
  const auto console = [&](std::size_t guest) {
    return run.report.at("guests").at(guest).at("console").get<std::vector<std::string>>();
  };
  EXPECT_THAT(console(0),
              testing::ElementsAre("pvmfw: running in a protected VM", "pvmfw: payload verified",
                                   "hello from EL1 of a guest"));
  EXPECT_THAT(console(1), testing::ElementsAre("hello from EL1 of a guest"));
}

}  // namespace
}  // namespace pkvmemu::test
