// SPDX-License-Identifier: GPL-2.0-only
// Modules as their authors write them for each generation, in the documentation's layouts
// (testcases/authors), built by the tool without a warning and run on our machine and under QEMU.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "harness/emulator.h"
#include "harness/generation_printer.h"
#include "pkvm/generation.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const fs::path authors = PKVMEMU_AUTHORS;

/// Where each generation's driver is, and how its folder is built: 16 has Bazel's files only.
struct DriverRow {
  pkvm::Generation generation;
  std::vector<std::string> sources;
};
std::vector<DriverRow> drivers() {
  return {{pkvm::Generation::android14_6_1, {"android14"}},
          {pkvm::Generation::android15_6_6, {"android15"}},
          {pkvm::Generation::android16_6_12, {"android16/el1.c", "android16/hyp/el2.c"}}};
}

class Authors : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  /// Builds for the generation with every warning fatal; the module's path.
  [[nodiscard]] std::string built(const std::string& name,
                                  const std::vector<std::string>& sources) const {
    const std::string path = scratch_.path() / (name + ".ko");
    Arguments command{PKVMEMU_BUILD_DIR "/bin/pkvm-emu",
                      "build",
                      "--kmi",
                      std::string(GetParam().kmi),
                      "--fatal-warnings",
                      "--name",
                      name,
                      "-o",
                      path};
    for (const std::string& source : sources)
      command.push_back(authors / source);
    const auto result = run_process(command);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, IsEmpty());
    return path;
  }
  /// Ours; the same files under QEMU have to print the same console.
  static EmulatorRun run_on_both(const Arguments& arguments) {
    auto run = run_emulator(arguments);
    EXPECT_EQ(run_qemu(arguments), run.console) << "the second one is ours";
    return run;
  }

 private:
  ScratchDirectory scratch_;
};

INSTANTIATE_TEST_SUITE_P(Generations, Authors, testing::ValuesIn(pkvm::generations),
                         [](const auto& instance) {
                           std::string name(instance.param.kmi);
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

// The documentation's module, with its generation's type of handler: init, a handler, a call from
// EL1 before and one after deprivilege.
TEST_P(Authors, TheDocumentationsDriver) {
  const auto rows = drivers();
  const auto row = std::ranges::find(rows, GetParam().id, &DriverRow::generation);
  ASSERT_NE(row, rows.end());
  const auto run =
      run_on_both({built("driver", row->sources), "--call", "pkvm_driver_hyp_hvc:40,2"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  EXPECT_THAT(run.console, Contains("driver: hvc 128 answers 42"));
  const auto& result = run.report.at("calls").at(0).at("result");
  EXPECT_EQ(result.at(0), "0x0");
  EXPECT_EQ(result.at(1), "0x2a");
}

// A driver that uses all that the SDK promises: parameters, messages, memory, strings, pages, calls
// in both spellings, and work that still reaches EL2 after deprivilege.
TEST_P(Authors, TheDriverThatUsesEverything) {
  const auto run = run_on_both(
      {built("services", {"services"}), "--cmdline",
       "services.factor=7 \"services.label=two words\" services.silent services.marks=1,-2"});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  const std::vector<std::string> expected = {
      "services: label 'two words', silent 1",
      "services: mark 1",
      "services: mark -2",
      "library: printk",
      "library: emerg",
      "library: alert",
      "library: crit",
      "library: err",
      "library: warn",
      "library: notice text    -5 7  | 0xabc z",
      "library: in two parts",
      "library: once",
      "library: limited",
      "library: complete",
      "services: scale 98",
      "services: checksum 42",
      "services: count 0 3",
      "services: unknown service refused",
      "later: queued 1",
      "host deprivileged",
      "later: plain work",
      "later: round 1: scaled 7, time moves 1",
      "later: round 2: scaled 14, time moves 1",
  };
  ASSERT_GE(run.console.size(), expected.size() + 2);
  EXPECT_EQ(std::vector<std::string>(
                run.console.begin() + 2,
                run.console.begin() + 2 + static_cast<std::ptrdiff_t>(expected.size())),
            expected);
}

/// The tracer's console lines of one call.
const std::vector<std::string> tracer_events = {"hyp event tracer_request: address=0x50 kind=7",
                                                "hyp event tracer_answer: value=-43"};
const Arguments trace_a_call = {"--trace-events", "--call", "tracer_hyp_hvc:0x50,7"};

bool has_events(const pkvm::GenerationInfo& generation) {
  return generation.id != pkvm::Generation::android14_6_1;
}

// Trace events by HYP_EVENT in a header of the module's own: both halves build from it, and each
// call shows its events by their formats.
TEST_P(Authors, TheDriverWithTraceEvents) {
  if (!has_events(GetParam())) GTEST_SKIP() << "modules have no events before 6.6 (2.8)";
  Arguments arguments{built("tracer", {"tracer"})};
  arguments.insert(arguments.end(), trace_a_call.begin(), trace_a_call.end());
  const auto run = run_on_both(arguments);
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out << run.process.err;
  for (const std::string& line : tracer_events)
    EXPECT_THAT(run.console, Contains(line));
  EXPECT_EQ(run.report.at("calls").at(0).at("result").at(1), "0xffffffffffffffd5");
}

// The same driver in a kernel tree names its header from there, as the tree's own modules do.
TEST_P(Authors, TheDriverWithTraceEventsOfAKernelTree) {
  if (!has_events(GetParam())) GTEST_SKIP() << "modules have no events before 6.6 (2.8)";
  const ScratchDirectory tree;
  const fs::path driver = tree.path() / "drivers/misc/tracer";
  fs::create_directories(driver);
  fs::copy(authors / "tracer", driver, fs::copy_options::recursive);
  for (const char* source : {"el1.c", "hyp/el2.c"}) {
    std::ifstream in(driver / source);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::string name = "FILE hyp/events.h";
    ASSERT_TRUE(text.contains(name));
    text.replace(text.find(name), name.size(), "FILE ../../../../drivers/misc/tracer/hyp/events.h");
    std::ofstream(driver / source) << text;
  }
  std::ofstream(driver / "Makefile") << "obj-m := tracer.o\ntracer-y := el1.o hyp/kvm_nvhe.o\n";
  std::ofstream(driver / "hyp/Makefile") << "hyp-obj-y := el2.o\n";
  Arguments arguments{built("tracer", {driver})};
  arguments.insert(arguments.end(), trace_a_call.begin(), trace_a_call.end());
  const auto run = run_emulator(arguments);
  for (const std::string& line : tracer_events)
    EXPECT_THAT(run.console, Contains(line));
}

// Modules that use one another's symbols: the file of the exporter decides, and the run loads it
// first although it is named last.
TEST(DependentModules, AreBuiltAndLoadedInOrder) {
  const fs::path sources = authors.parent_path() / "modules";
  const ScratchDirectory scratch;
  const std::string exporter = scratch.path() / "exporter.ko";
  const std::string importer = scratch.path() / "importer.ko";
  const auto build = [](Arguments rest) {
    rest.insert(rest.begin(), {PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "build", "--fatal-warnings"});
    return run_process(rest);
  };
  ASSERT_EQ(build({sources / "exporter/el1.c", "-o", exporter}).exit_code, 0);
  const auto built = build({sources / "importer/el1.c", "-o", importer, "--depends", exporter});
  EXPECT_EQ(built.exit_code, 0);
  EXPECT_EQ(built.err, "");
  const auto run = run_emulator({importer, exporter});
  EXPECT_EQ(run.process.exit_code, 0) << run.process.out;
  EXPECT_THAT(run.console, Contains("importer: 42, 42"));

  const auto no_module = build({sources / "importer/el1.c", "--depends", "/etc/nothing.ko"});
  EXPECT_EQ(no_module.exit_code, 3);
  EXPECT_THAT(no_module.err, HasSubstr("/etc/nothing.ko: cannot open"));
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// All that the SDK promises to authors, as the modules have to spell it.
constexpr auto promised = std::to_array<std::string_view>({"struct kvm_cpu_context *",
                                                           "struct user_pt_regs *",
                                                           "cpu_reg(",
                                                           "SMCCC_RET_SUCCESS",
                                                           "arm_smccc_1_1_hvc(",
                                                           "KVM_HOST_SMCCC_ID(",
                                                           "pkvm_el2_mod_call(",
                                                           "pkvm_load_el2_module(",
                                                           "pkvm_register_el2_mod_call(",
                                                           "kvm_nvhe_sym(",
                                                           "DECLARE_REG(",
                                                           "module_param(",
                                                           "module_param_named(",
                                                           "module_param_array(",
                                                           "MODULE_PARM_DESC(",
                                                           "module_init(",
                                                           "module_exit(",
                                                           "MODULE_LICENSE(",
                                                           "printk(KERN_",
                                                           "pr_emerg(",
                                                           "pr_alert(",
                                                           "pr_crit(",
                                                           "pr_err(",
                                                           "pr_warn(",
                                                           "pr_notice(",
                                                           "pr_info(",
                                                           "pr_cont(",
                                                           "pr_debug(",
                                                           "pr_fmt(",
                                                           "kmalloc(",
                                                           "kzalloc(",
                                                           "kcalloc(",
                                                           "krealloc(",
                                                           "kfree(",
                                                           "kasprintf(",
                                                           "kstrdup(",
                                                           "kmemdup(",
                                                           "vzalloc(",
                                                           "strscpy(",
                                                           "strcmp(",
                                                           "memcpy(",
                                                           "memmove(",
                                                           "memset(",
                                                           "snprintf(",
                                                           "kstrtoul(",
                                                           "alloc_page(",
                                                           "alloc_pages(",
                                                           "__get_free_page(",
                                                           "page_address(",
                                                           "page_to_phys(",
                                                           "page_to_pfn(",
                                                           "virt_to_phys(",
                                                           "phys_to_virt(",
                                                           "virt_to_page(",
                                                           "PAGE_ALIGN(",
                                                           "ktime_get_ns(",
                                                           "alloc_ordered_workqueue(",
                                                           "INIT_DELAYED_WORK(",
                                                           "queue_delayed_work(",
                                                           "schedule_work(",
                                                           "cancel_delayed_work_sync(",
                                                           "mutex_lock(",
                                                           "spin_lock_irqsave(",
                                                           "complete(",
                                                           "#include <linux/arm-smccc.h>",
                                                           "#include <linux/slab.h>",
                                                           "#include <linux/string.h>",
                                                           "#include <linux/mm.h>",
                                                           "#include <linux/ktime.h>",
                                                           "#include <linux/workqueue.h>",
                                                           "#include <linux/moduleparam.h>",
                                                           "#include <linux/printk.h>",
                                                           "#include <nvhe/trap_handler.h>",
                                                           "#include <asm/kvm_pkvm_module.h>"});

// Nothing that the SDK promises is left out of the modules above.
TEST(AuthorsSources, UseEverythingThatIsPromised) {
  std::string sources;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(authors))
    if (entry.path().extension() == ".c") sources += content_of(entry.path());
  for (const std::string_view word : promised)
    EXPECT_TRUE(sources.contains(word)) << word;
}

/// A mistake in the documentation's example, and what the compiler says of it.
struct Slip {
  std::string name;
  std::string from;
  std::string to;
  std::string line;
  std::string message;

  friend void PrintTo(const Slip& slip, std::ostream* out) { *out << slip.name; }
};
class DocumentationSlips : public testing::TestWithParam<Slip> {};

INSTANTIATE_TEST_SUITE_P(Authors, DocumentationSlips,
                         testing::Values(Slip{"MissingSemicolon", "pkvm_driver_hyp_hvc, token);",
                                              "pkvm_driver_hyp_hvc, token)", "22",
                                              "error: expected ';'"},
                                         Slip{"TokenWithoutItsAddress", "&token)", "token)", "18",
                                              "error: incompatible integer to pointer conversion"}),
                         [](const auto& instance) { return instance.param.name; });

// What docs/building.md says of the example's own mistakes is true: each is the first error.
TEST_P(DocumentationSlips, AreTheFirstErrors) {
  const ScratchDirectory scratch;
  fs::copy(authors / "android15", scratch.path() / "driver", fs::copy_options::recursive);
  std::string text = content_of(authors / "android15/el1.c");
  const std::size_t at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  std::ofstream(scratch.path() / "driver/el1.c")
      << text.replace(at, GetParam().from.size(), GetParam().to);
  const auto result = run_process({PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "build",
                                   scratch.path() / "driver", "-o", scratch.path() / "driver.ko"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(split_lines(result.err), Contains(AllOf(HasSubstr("el1.c:" + GetParam().line + ":"),
                                                      HasSubstr(GetParam().message))))
      << result.err;
  EXPECT_FALSE(fs::exists(scratch.path() / "driver.ko"));
}

// A folder that only Bazel builds is answered with the command that builds it.
TEST(BazelFolder, IsAnsweredWithTheCommand) {
  const ScratchDirectory scratch;
  const std::string folder = authors / "android16";
  const auto refused = run_process({PKVMEMU_BUILD_DIR "/bin/pkvm-emu", "build", folder});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr(fmt::format("pkvm-emu build {0}/el1.c {0}/hyp/el2.c --name "
                                                 "driver",
                                                 folder)));
}

}  // namespace
}  // namespace pkvmemu::test
