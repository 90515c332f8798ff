// SPDX-License-Identifier: GPL-2.0-only
// The world that real EL1 halves are compiled for (docs/modules.md): task, per-CPU memory, shadow
// call stack, stack protector, static keys, alternatives, kCFI. The module `world` is built here
// with the flags of an Android kernel of its generation, and run on our machine and under QEMU.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "build/module_builder.h"
#include "conformance/every_generation.h"
#include "pkvm/task.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

enum class Canary : std::uint8_t { of_the_task, global };

class El1World : public GenerationTest {
 protected:
  /// The module `world` of this generation.
  static std::string world(Canary canary = Canary::of_the_task) {
    static const ScratchDirectory folder;
    const std::filesystem::path path =
        folder.path() / fmt::format("{}-{}", GetParam().kmi, static_cast<int>(canary)) / "world.ko";
    if (std::filesystem::exists(path)) return path;
    std::filesystem::create_directories(path.parent_path());
    const auto built = build::build_module(spec(canary));
    if (!built) throw std::runtime_error(built.error().message);
    if (!write_file(path, built->image)) throw std::runtime_error("cannot write the module");
    return path;
  }
  static Arguments doing(std::string_view what, Canary canary = Canary::of_the_task) {
    return {world(canary), "--cmdline", fmt::format("world.what={}", what)};
  }
  static std::vector<std::string> sayings(const EmulatorRun& run) {
    return lines_with(run.console, "world: ");
  }

 private:
  static build::ModuleSpec spec(Canary canary) {
    const std::filesystem::path sources = PKVMEMU_MODULE_SOURCES "/world";
    build::ModuleSpec spec;
    spec.name = "world";
    spec.generation = id();
    spec.el1_sources = {sources / "el1.c"};
    spec.el2_sources = {sources / "hyp" / "el2.c"};
    spec.sdk = PKVMEMU_SDK;
    spec.el1_flags.options = {"-fsanitize=shadow-call-stack", "-fstack-protector-strong",
                              "-fno-omit-frame-pointer"};
    if (canary == Canary::of_the_task)
      for (const std::string& option : {std::string("-mstack-protector-guard=sysreg"),
                                        std::string("-mstack-protector-guard-reg=sp_el0"),
                                        fmt::format("-mstack-protector-guard-offset={}",
                                                    pkvm::task::layout_of(id()).stack_canary)})
        spec.el1_flags.options.push_back(option);
    return spec;
  }
};
INSTANTIATE_TEST_SUITE_P(Generations, El1World, testing::ValuesIn(pkvm::generations),
                         generation_slug);

// SP_EL0 is a task whose thread_info inlines can use; nested preempt_disable() and preempt_enable()
// never ask to be rescheduled; a WARN between them changes neither SP_EL0 nor x18 nor the count.
TEST_P(El1World, TheTaskIsThereAndStays) {
  const auto run = run_on_both(doing("look"));
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  const auto said = sayings(run);
  for (const std::string_view line :
       {"world: cpu 0, flags 0, count 0", "world: preemption disabled 2 times",
        "world: preemption disabled 1 times",
        "world: preemption disabled 0 times, to be rescheduled 0",
        "world: same task 1, same shadow stack 1, it is the task's 1", "world: 201 calls deep"})
    EXPECT_THAT(said, Contains(std::string(line)));
}

// A WARN at EL1 prints its file, line and function, and goes on.
TEST_P(El1World, AWarnGoesOn) {
  const auto run = run_on_both(doing("look"));
  EXPECT_THAT(run.console, Contains(testing::MatchesRegex(
                               "WARNING: el1.c:[0-9]+, look_at_task\\+0x[0-9a-f]+ \\[world\\]")));
  EXPECT_TRUE(run.report.at("host_panic").is_null());
}

// A BUG at EL1 is a host panic that names file, line and function.
TEST_P(El1World, ABugIsAPanic) {
  const auto run = run_into_panic_on_both(doing("bug"));
  EXPECT_EQ(run.process.exit_code, 13) << run.process.out;
  EXPECT_THAT(
      run.console,
      Contains(testing::MatchesRegex("BUG: el1.c:[0-9]+, [a-z_]+\\+0x[0-9a-f]+ \\[world\\]")));
  EXPECT_THAT(run.report.at("host_panic").get<std::string>(), HasSubstr("[world]"));
}

// .data..percpu of a module has its initial values in the CPU's copy, reached through TPIDR_EL1.
TEST_P(El1World, PerCpuVariables) {
  const auto run = run_on_both(doing("look"));
  EXPECT_THAT(sayings(run), Contains("world: per-CPU 6, number 0, base is CPU 0's 1"));
  // Once more after deprivilege.
  EXPECT_THAT(sayings(run), Contains("world: per-CPU 7, number 0, base is CPU 0's 1"));
}

// The bad twin: without the CPU's offset there is nothing.
TEST_P(El1World, APerCpuVariableWithoutItsOffsetFaults) {
  const auto run = run_into_panic_on_both(doing("per-cpu"));
  EXPECT_EQ(run.process.exit_code, 13) << run.process.out;
  EXPECT_THAT(run.console, Contains(HasSubstr("translation fault")));
}

// Static keys switch the module's code, both ways, counted or not.
TEST_P(El1World, StaticKeysSwitchCode) {
  const auto said = sayings(run_on_both(doing("look")));
  for (const std::string_view line :
       {"world: as they are: off 0, on 1", "world: switched: off 1, on 0",
        "world: counted: off 1, on 0", "world: counted down: off 0, on 0"})
    EXPECT_THAT(said, Contains(std::string(line)));
}

// A key of the kernel's that is switched later changes the code of a module that is there.
TEST_P(El1World, KeysOfTheKernel) {
  const auto said = sayings(run_on_both(doing("look")));
  EXPECT_THAT(said, Contains("world: later: protected mode initialised 1"));
}

// Alternatives: those of capabilities that the kernel has are made, by replacement and by callback;
// others keep their first code; numbers that are not known are told once.
TEST_P(El1World, Alternatives) {
  holds("2.6/alternatives_el1", id());
  const auto run = run_on_both(doing("look"));
  EXPECT_THAT(sayings(run), Contains("world: always 1, protected 1 and 1, code 2"));
  EXPECT_THAT(sayings(run), Contains("world: never 0, code 1, unknown code 1"));
  EXPECT_THAT(lines_with(run.console, "alternatives of CPU capabilities"), testing::SizeIs(1));
  EXPECT_THAT(run.console, Contains(HasSubstr("left alone: 2, the first of capability 31420")));
}

// In EL2 code, too, before it is the hypervisor's: an atomic increment in either form counts.
TEST_P(El1World, AlternativesInEl2Code) {
  holds("2.6/alternatives", id());
  auto arguments = doing("look");
  arguments.insert(arguments.end(), {"--call", "world_hvc:0"});
  const auto run = run_on_both(arguments);
  EXPECT_EQ(x(run, 0, 1), "0x2a");
  EXPECT_EQ(x(run, 0, 2), "0x1");
  EXPECT_EQ(x(run, 0, 3), "0x1");
}

// A protected-mode capability that the kernel has not leaves the code as it is.
TEST_P(El1World, AlternativesWithoutProtectedMode) {
  const auto run = run_on_both({"--late", world(), "--cmdline", "kvm-arm.mode=nvhe"});
  EXPECT_THAT(sayings(run), Contains("world: always 1, protected 0 and 0, code 1"));
}

// A function whose stack is overwritten ends in a panic that names it and its module, whether the
// canary is the task's or __stack_chk_guard.
TEST_P(El1World, ASmashedStackIsNoticed) {
  for (const Canary canary : {Canary::of_the_task, Canary::global}) {
    const auto run = run_into_panic_on_both(doing("smash", canary));
    EXPECT_EQ(run.process.exit_code, 13) << run.process.out;
    EXPECT_THAT(run.report.at("host_panic").get<std::string>(),
                testing::MatchesRegex("stack protector: the stack of a function is corrupted, "
                                      "noticed at smash\\+0x[0-9a-f]+ \\[world\\]"));
  }
}

// The good twin: with either canary the module runs.
TEST_P(El1World, BothCanariesAreThere) {
  EXPECT_EQ(run_on_both(doing("look", Canary::global)).process.exit_code, 0);
}

// Behind the shadow call stack there is nothing, and the report says whose overflow it is.
TEST_P(El1World, AShadowStackThatRunsOver) {
  const auto run = run_into_panic_on_both(doing("shadow"));
  EXPECT_EQ(run.process.exit_code, 13) << run.process.out;
  EXPECT_THAT(run.report.at("host_panic").get<std::string>(),
              testing::MatchesRegex("shadow call stack overflow at "
                                    "run_off_the_shadow_stack\\+0x[0-9a-f]+ \\[world\\]"));
}

// A failed kCFI check names the caller, the callee, and both types.
TEST_P(El1World, ACallOfTheWrongType) {
  const auto run = run_into_panic_on_both(doing("type"));
  EXPECT_EQ(run.process.exit_code, 13) << run.process.out;
  EXPECT_THAT(run.console, Contains(testing::MatchesRegex(
                               "CFI failure at call_as_work\\+0x[0-9a-f]+ \\[world\\]: "
                               "calls a_thread\\+0x0 \\[world\\] as what it is not")));
  EXPECT_THAT(run.console, Contains(HasSubstr(": a work item, void (struct work_struct *)")));
  EXPECT_THAT(run.console, Contains(HasSubstr(": a thread, int (void *)")));
}

// At EL2, too, where the words are: the report has the type that was expected by name.
TEST_P(El1World, ACallOfTheWrongTypeAtEl2) {
  auto arguments = doing("look");
  arguments.insert(arguments.end(), {"--call", "world_hvc:1"});
  const auto run = run_emulator(arguments);
  if (!exists_since(pkvm::Generation::android15_6_6)) {
    EXPECT_EQ(run.process.exit_code, 0) << "6.1 checks nothing at EL2";
    return;
  }
  EXPECT_EQ(run.process.exit_code, 12) << run.process.out;
  EXPECT_THAT(run.process.out, HasSubstr("never_called"));
  EXPECT_THAT(run.process.out,
              HasSubstr("'void (struct user_pt_regs *)' (a hypercall handler or panic notifier)"));
}

// A BUG in EL2 code is a hyp panic with file and line from the module's table.
TEST_P(El1World, ABugAtEl2) {
  auto arguments = doing("look");
  arguments.insert(arguments.end(), {"--call", "world_hvc:2"});
  const auto run = run_into_panic_on_both(arguments);
  EXPECT_EQ(run.process.exit_code, 12) << run.process.out;
  EXPECT_THAT(run.console, Contains(testing::MatchesRegex("  el2.c:[0-9]+")));
}

// paciasp and autiasp agree, and do nothing on a CPU that says it has no such thing, as ours.
TEST_P(El1World, SignaturesAgree) {
  EXPECT_THAT(sayings(run_on_both(doing("look"))), Contains("world: signed 0, authenticated 1"));
  EXPECT_THAT(sayings(run_on_both(doing("look pkvmemu.pauth=1"))),
              Contains("world: signed 1, authenticated 1"));
}

// A return address that changed after it was signed is not returned to, and the report says so.
TEST_P(El1World, ABadSignatureIsReported) {
  const auto run = run_into_panic_on_both(doing("return pkvmemu.pauth=1"));
  EXPECT_EQ(run.process.exit_code, 13) << run.process.out;
  EXPECT_THAT(run.report.at("host_panic").get<std::string>(),
              HasSubstr("[world] that failed its authentication"));
}

// State that suspend keeps: what is loaded afterwards finds the same world.
TEST_P(El1World, TheWorldSurvivesASuspend) {
  const auto run = run_emulator(
      {"--psci", "suspend:0x10000", "--late", world(), "--cmdline", "pkvmemu.pauth=1"});
  EXPECT_THAT(run.console, Contains(HasSubstr("resumed at its entry point")));
  EXPECT_THAT(sayings(run),
              Contains("world: same task 1, same shadow stack 1, it is the task's 1"));
  EXPECT_THAT(sayings(run), Contains("world: per-CPU 6, number 0, base is CPU 0's 1"));
  EXPECT_THAT(sayings(run), Contains("world: signed 1, authenticated 1"));
}

}  // namespace
}  // namespace pkvmemu::test
