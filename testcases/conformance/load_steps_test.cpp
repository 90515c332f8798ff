// SPDX-License-Identifier: GPL-2.0-only
// The steps of a load, what each failing one answers and leaves behind (pkvm-abi.md 3.1 to 3.6), by
// the module `steps`, whose EL1 half makes them fail and looks who owns its pages afterwards.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "archive.h"
#include "changed_module.h"
#include "every_generation.h"
#include "modules/system/operations.h"

namespace pkvmemu::test {
namespace {

using pkvm::Hypercall;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto all_host = "steps: text host bss host rodata host data host";
constexpr auto all_hyp = "steps: text hyp bss hyp rodata hyp data hyp";

class Steps : public GenerationTest {
 protected:
  /// The command line for `steps`: its fault, and this generation's numbers.
  static Arguments with_fault(std::string_view fault) {
    return {
        "--cmdline",
        fmt::format(
            "steps.fault={} steps.share={} steps.unshare={} steps.alloc={} "
            "steps.unmap={} steps.init={} steps.finalize={}",
            fault, number(Hypercall::pkvm_host_share_hyp), number(Hypercall::pkvm_host_unshare_hyp),
            number(Hypercall::pkvm_alloc_module_va), number(Hypercall::pkvm_unmap_module_page),
            number(Hypercall::pkvm_init_module), number(Hypercall::pkvm_prot_finalize))};
  }
  static Arguments arguments(std::string_view fault, const Arguments& more = {}) {
    Arguments all{own("steps"), own("calls")};
    for (const Arguments& part : {with_fault(fault), more})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }
  static EmulatorRun run(std::string_view fault, const Arguments& more = {}) {
    return run_on_both(arguments(fault, more));
  }
  static EmulatorRun run_into_panic(std::string_view fault, const Arguments& more = {}) {
    return run_into_panic_on_both(arguments(fault, more));
  }
  static std::uint64_t token(const EmulatorRun& run) {
    for (const std::string& line : lines_with(run.console, "steps: load "))
      return std::stoull(line.substr(line.rfind(' ') + 1), nullptr, 16);
    return 0;
  }
  /// Where the next module of the list was put; nothing when it did not come so far.
  static std::uint64_t next_va(const EmulatorRun& run) {
    const auto& va = run.report.at("modules").back().at("hyp_va");
    return va.is_null() ? 0 : std::stoull(va.get<std::string>(), nullptr, 16);
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, Steps, testing::ValuesIn(pkvm::generations), generation_slug);

// A load as it should be: 0, the pages are the hypervisor's, the pointers have moved once, and the
// handler is reached by the macro.
TEST_P(Steps, AGoodLoad) {
  for (const std::string_view row : {"3.2/17", "3.2/14", "3.1/register", "3.1/register_call",
                                     "3.1/mod_call", "3.7/load_and_register"})
    holds(row, id());
  const auto good = run("none", {"--call", "steps_hvc"});
  EXPECT_THAT(good.console, Contains(HasSubstr("steps: load 0 token ")));
  EXPECT_THAT(good.console, Contains("steps: hypercall 128"));
  EXPECT_THAT(good.console, Contains("steps: called 42"));
  EXPECT_THAT(good.console, Contains("steps: pointer moved 1"));
  EXPECT_THAT(good.console, Contains(all_hyp));
  EXPECT_EQ(x(good, 0, 1), "0x2a");
}

// Two modules are independent, and the second one's addresses follow the first one's.
TEST_P(Steps, TwoModulesFollowEachOther) {
  holds("3.5/two_modules", id());
  holds("3.2/5", id());
  holds("3.3/alloc_module_va", id());
  const auto both = run("none", {"--call", "steps_hvc", "--call", "calls_hvc:1,2"});
  EXPECT_GT(next_va(both), token(both));
  EXPECT_EQ(x(both, 0, 1), "0x2a");
  EXPECT_EQ(x(both, 1, 1), "0x3");
}

// The token may be NULL.
TEST_P(Steps, TheTokenMayBeNull) {
  holds("3.1/token_null", id());
  const auto good = run("no-token");
  EXPECT_THAT(good.console, Contains("steps: load 0 token 0"));
  EXPECT_EQ(good.process.exit_code, 0);
}

// Step 1, finalised: -EOPNOTSUPP and nothing done.
TEST_P(Steps, Step1RefusesAfterFinalisation) {
  holds("3.2/1", id());
  holds("3.5/after_finalisation", id());
  holds("3.6/1_to_3", id());
  Arguments late{own("calls"), "--late", own("steps"), "--call", "calls_hvc:1,2"};
  const auto run = run_on_both(late);
  // No parameters for an insmod: not one of its checks is made.
  EXPECT_THAT(run.console, Contains("steps: load -95 token 0"));
  EXPECT_THAT(run.console, Contains("steps: pointer moved 0"));
  EXPECT_EQ(x(run, 0, 1), "0x3");
}

// Step 1, not protected: the same.
TEST_P(Steps, Step1RefusesWithoutProtectedMode) {
  holds("3.2/1", id());
  holds("3.5/not_protected", id());
  const auto run =
      run_on_both({own("calls"), "--late", own("counter"), "--cmdline", "kvm-arm.mode=nvhe"});
  EXPECT_THAT(run.console, Contains("late counter: -95"));
}

// Step 2, a section that does not start on a page: -EINVAL, no address taken, nothing moved. Absent
// sections count as aligned: `calls` has some and loads.
TEST_P(Steps, Step2RefusesMisalignedSections) {
  holds("3.2/2", id());
  holds("3.6/1_to_3", id());
  const ChangedModule changed(own("steps"), {"--set-section-alignment=.hyp.rodata=64"});
  Arguments all{changed.path(), own("calls"), "--call", "128:1,2"};
  const Arguments fault = with_fault("none");
  all.insert(all.end(), fault.begin(), fault.end());
  const auto refused = run_on_both(all);
  EXPECT_THAT(refused.console, Contains("steps: load -22 token 0"));
  EXPECT_THAT(refused.console, Contains("steps: pointer moved 0"));
  EXPECT_EQ(next_va(refused), next_va(run_emulator({own("calls")}))) << "no address was used up";
  EXPECT_EQ(x(refused, 0, 1), "0x3") << "calls' handler has the first id";
}

// Step 5, no addresses left: -ENOMEM; nothing moved, nothing given.
TEST_P(Steps, Step5WithoutAddressesIsEnomem) {
  holds("3.2/5.no_address", id());
  holds("3.6/5", id());
  const auto refused = run("no-va");
  EXPECT_THAT(refused.console, Contains("steps: load -12 token 0"));
  EXPECT_THAT(refused.console, Contains("steps: pointer moved 0"));
  EXPECT_THAT(refused.console, Contains(all_host));
}

// Step 5, the call itself refused, as after a finalisation that EL1 does not know of: -EPERM.
TEST_P(Steps, Step5RefusedIsEperm) {
  holds("3.2/5.refused", id());
  const auto refused = run_into_panic("finalized");
  EXPECT_THAT(refused.console, Contains("steps: load -1 token 0"));
}

// Step 12, a page that the hypervisor does not take (it is shared): the error comes out, every page
// is the host's again; addresses and relocations are not.
TEST_P(Steps, Step12GivesPagesBack) {
  holds("3.2/12", id());
  holds("3.6/12", id());
  const auto refused = run("shared");
  EXPECT_THAT(refused.console, Contains(HasSubstr("steps: load -1 token 2")));
  EXPECT_THAT(refused.console, Contains(all_host));
  EXPECT_THAT(refused.console, Contains("steps: pointer moved 1"));
  EXPECT_GT(next_va(refused), token(refused)) << "the range is not used again";
}

// Step 14, init fails: its value comes out, pages return, addresses and relocations are lost, the
// token was told before.
TEST_P(Steps, Step14GivesPagesBack) {
  for (const std::string_view row : {"3.4/pages", "3.4/address", "3.4/relocations", "3.4/value",
                                     "3.6/14", "2.5/no_undo", "3.2/14.fails"})
    holds(row, id());
  const auto refused = run("init");
  EXPECT_THAT(refused.console, Contains("Failed to init EL2 module: -22"));
  EXPECT_THAT(refused.console, Contains(HasSubstr("steps: load -22 token 2")));
  EXPECT_THAT(refused.console, Contains(all_host));
  EXPECT_THAT(refused.console, Contains("steps: pointer moved 1"));
  EXPECT_GT(next_va(refused), token(refused)) << "the range is not used again";
}

// A handler at an address that a failed load left: it has its number, and a call of it is the
// hypervisor's end.
TEST_P(Steps, ADeadHandlerIsAHypPanic) {
  holds("3.4/dead_handler", id());
  const auto dead = run_into_panic("init", {"--call", "128"});
  EXPECT_THAT(dead.console, Contains("steps: hypercall 128"));
  EXPECT_THAT(dead.console, Contains("calls: hypercall 129")) << "its number is not used again";
  EXPECT_EQ(dead.process.exit_code, 12) << dead.process.out;
  EXPECT_THAT(lines_with(dead.console, "nVHE hyp panic at"), testing::SizeIs(1));
}

// What init registered before it failed is dropped, and reported as the defect that it would be:
// the next module finds the notifier's place taken only when init succeeded.
TEST_P(Steps, RegistrationsOfAFailedInitAreDropped) {
  holds("3.4/registrations.dropped", id());
  const auto second = [](std::string_view fault) {
    Arguments all{own("steps"), own("system")};
    const Arguments more = with_fault(fault);
    all.insert(all.end(), more.begin(), more.end());
    all.insert(all.end(),
               {"--call", fmt::format("system_hvc:{},{}", static_cast<int>(SYSTEM_REGISTER),
                                      static_cast<int>(SYSTEM_PSCI))});
    const EmulatorRun run = run_on_both(all);
    EXPECT_THAT(run.console, Contains(HasSubstr("steps: load ")));
    EXPECT_EQ(run.process.out.contains("defect failed-init-keeps-handlers"), fault == "registers");
    return run.report.at("calls").at(0).at("result").at(1).get<std::string>();
  };
  EXPECT_EQ(second("registers"), "0x0");
  EXPECT_EQ(second("notifier"), "0xfffffffffffffff0") << "-EBUSY";
  EXPECT_EQ(second("init"), "0x0");
}

// An SMC handler of an init that failed: gone by default, so that the SMC gets EL3's answer; as
// released kernels have it the next SMC is the hypervisor's end.
TEST_P(Steps, TheSmcHandlerOfAFailedInit) {
  holds("3.4/registrations", id(), HeldOn::machine);
  const Arguments arguments{own("smcfails"), "--smc", "0xc2000001:1"};
  const auto dropped = run_emulator(arguments);
  EXPECT_EQ(dropped.process.exit_code, 10) << dropped.process.out;
  EXPECT_THAT(dropped.process.out, HasSubstr("defect failed-init-keeps-handlers"));
  EXPECT_TRUE(dropped.report.at("hyp_panic").is_null());
  EXPECT_THAT(dropped.console, Contains(HasSubstr("done: power off")));

  Arguments as_shipped = arguments;
  as_shipped.emplace_back("--as-shipped");
  const auto kept = run_emulator(as_shipped);
  EXPECT_EQ(kept.process.exit_code, 12) << kept.process.out;
  EXPECT_THAT(kept.process.out, HasSubstr("reproduced: what an EL2 init registered"));
  EXPECT_THAT(lines_with(kept.console, "nVHE hyp panic at"), testing::SizeIs(1));
}

// EL2 sees init's int as 64 bits with its sign.
TEST_P(Steps, InitsAnswerIsSignExtended) {
  holds("3.3/init_module", id());
  const auto again = run("init-again");
  EXPECT_THAT(again.console, Contains("steps: init again ffffffffffffffea"));
}

// Unmapping gives a page back and leaves x1 as it was; the module finds its data gone.
TEST_P(Steps, UnmapGivesThePageBack) {
  holds("3.3/unmap_module_page", id());
  const auto unmapped = run("unmap");
  EXPECT_THAT(unmapped.console, Contains("steps: unmap x0 0 x1 is the frame 1"));
  EXPECT_THAT(unmapped.console, Contains("steps: text hyp bss hyp rodata hyp data host"));
}

// Unmapping where nothing is mapped is fatal.
TEST_P(Steps, AWrongUnmapIsFatal) {
  holds("3.3/unmap_module_page.wrong", id());
  const auto fatal = run_into_panic("unmap-twice");
  EXPECT_EQ(fatal.process.exit_code, 12) << fatal.process.out;
  EXPECT_EQ(fatal.report.at("hyp_panic").at("esr"), "0xf2000800");
}

// The macro called again inside one module: pointers move a second time under the live image, then
// the pages are not the host's any more: -EPERM. The image is broken.
TEST_P(Steps, TheMacroCalledTwice) {
  holds("3.5/macro_twice", id());
  const auto twice = run_into_panic("twice", {"--call", "128"});
  EXPECT_THAT(twice.console, Contains("steps: again -1"));
  EXPECT_THAT(twice.console, Contains("steps: pointer moved 2"));
  EXPECT_THAT(twice.console, Contains(all_hyp));
  EXPECT_EQ(twice.process.exit_code, 12) << "the handler follows its pointer";
}

// A second insertion of a module that is there: -EEXIST.
TEST_P(Steps, ASecondInsertionIsEexist) {
  holds("3.5/loaded_twice", id());
  Archive archive;
  const std::string folder = std::string(GetParam().kernel_release) + "/";
  archive.module(folder, "calls", own("calls")).file("pkvm-emu.rc", "early late calls\n");
  const auto run = run_on_both(
      {"--initramfs", archive.write(), "--cmdline",
       fmt::format("pkvmemu.generation={} kvm-arm.protected_modules=calls", GetParam().kmi),
       "--call", "calls_hvc:1,2"});
  EXPECT_THAT(run.console, Contains("late calls: -17"));
  EXPECT_EQ(x(run, 0, 1), "0x3");
}

// EL1's init fails after a good EL2 load: pages, addresses and handlers stay with the hypervisor.
TEST_P(Steps, El1FailsLater) {
  holds("3.5/el1_fails_later", id());
  holds("3.6/el1_fails_later", id());
  const auto failed = run("el1", {"--call", "128"});
  EXPECT_THAT(failed.console, Contains("Failed to load pkvm module steps: 256"));
  EXPECT_THAT(failed.console, Contains(all_hyp));
  EXPECT_EQ(x(failed, 0, 1), "0x2a") << "the handler answers";
}

// EL1 keeps its mapping of the module's pages; a read of them after finalisation faults at stage 2.
TEST_P(Steps, El1sMappingFaultsAfterFinalisation) {
  holds("2.6/permissions.after", id());
  holds("3.5/host_access_faults", id());
  const auto touched = run_into_panic("touch");
  EXPECT_EQ(touched.process.exit_code, 13) << touched.process.out;
  EXPECT_THAT(touched.console, Contains("host deprivileged"));
  EXPECT_THAT(touched.console, Contains(HasSubstr("refused by the hypervisor (injected abort)")));
  EXPECT_THAT(lines_with(touched.console, "steps: EL1 reads"), IsEmpty());
}

// __bug_table names the BRKs of EL2 code as well: the panic has the source's file and line.
TEST_P(Steps, BugsOfEl2AreInTheTable) {
  holds("2.6/bug_table", id());
  const auto bug = run_into_panic("none", {"--call", "steps_hvc:0xb6"});
  EXPECT_EQ(bug.process.exit_code, 12) << bug.process.out;
  EXPECT_THAT(bug.console, Contains(HasSubstr("nVHE hyp BUG at")));
  EXPECT_THAT(bug.console, Contains(testing::StartsWith("  el2.c:")));
}

// .hyp.text is read-only and executable at EL1, as other module text is.
TEST_P(Steps, TextIsReadOnlyAtEl1) {
  holds("2.6/permissions", id());
  const auto written = run_into_panic("write-text");
  EXPECT_EQ(written.process.exit_code, 13) << written.process.out;
  EXPECT_THAT(written.console, Contains(HasSubstr("permission fault")));
  EXPECT_THAT(written.console, Not(Contains("host deprivileged")));
}

}  // namespace
}  // namespace pkvmemu::test
