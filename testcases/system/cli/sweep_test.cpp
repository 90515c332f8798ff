// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu sweep` as a user meets it: however the work is dealt out, interrupted, killed and gone
// on with, the records are those of one undisturbed worker.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "campaign/record.h"
#include "harness/emulator.h"

extern char** environ;

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;
using campaign::CaseRecord;
using campaign::SweepResult;
using testing::HasSubstr;
using testing::Not;

const std::string program = PKVMEMU_BUILD_DIR "/bin/pkvm-emu";

/// A sweep of some dozens of cases, none of them a finding.
Arguments small_sweep(Arguments more) {
  Arguments arguments = {program,        "sweep",  module("hello"), "--sites",
                         "hyp.module.*", "--once", "--persistent"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

ProcessResult sweep(Arguments more) {
  return run_process(small_sweep(std::move(more)));
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The record files of a folder, put together.
SweepResult merged(const fs::path& folder) {
  std::vector<std::string> names;
  std::vector<std::string> texts;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().string());
    texts.push_back(content_of(entry.path()));
  }
  std::vector<campaign::NamedText> files;
  for (std::size_t i = 0; i < names.size(); ++i)
    files.push_back({.name = names[i], .text = texts[i]});
  auto result = campaign::merge(files);
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

std::vector<std::string> ids_of(const SweepResult& result) {
  std::vector<std::string> ids;
  for (const CaseRecord& record : result.cases)
    ids.push_back(record.id);
  return ids;
}

void expect_same(const SweepResult& expected, const SweepResult& found, const std::string& which) {
  EXPECT_EQ(ids_of(expected), ids_of(found)) << which;
  EXPECT_TRUE(expected.sweep == found.sweep) << which;
  for (std::size_t i = 0; i < std::min(expected.cases.size(), found.cases.size()); ++i)
    EXPECT_TRUE(expected.cases[i] == found.cases[i])
        << which << "\n- " << campaign::to_line(expected.cases[i]) << "+ "
        << campaign::to_line(found.cases[i]);
}

/// What one undisturbed worker writes.
const SweepResult& undisturbed() {
  static const SweepResult result = [] {
    const ScratchDirectory scratch;
    const auto run = sweep({"--jobs", "1", "--json", scratch.path()});
    if (run.exit_code != 0) throw std::runtime_error(run.out + run.err);
    return merged(scratch.path());
  }();
  return result;
}

/// A sweep that goes on while the test does something to it, in a process group of its own.
class Background {
 public:
  Background(Arguments command, const fs::path& err) {
    posix_spawn_file_actions_t actions{};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::vector<char*> argv;
    for (std::string& argument : command)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int failed = posix_spawn(&process_, argv[0], &actions, &attributes, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) throw std::runtime_error("cannot start " + command.front());
  }
  ~Background() {
    if (!ended_) {
      send_to_group(SIGKILL);
      wait();
    }
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void send(int signal) const { ::kill(process_, signal); }
  void send_to_group(int signal) const { ::kill(-process_, signal); }
  [[nodiscard]] bool runs() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == 0;
  }
  /// Exit code, or 128 and the signal.
  int wait() {
    int status = 0;
    ::waitpid(process_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] std::vector<pid_t> children() const {
    const std::string number = std::to_string(process_);
    std::ifstream list("/proc/" + number + "/task/" + number + "/children");
    return {std::istream_iterator<pid_t>(list), {}};
  }

 private:
  pid_t process_ = 0;
  bool ended_ = false;
};

/// Until the folder has so many lines, or the sweep is over.
void wait_for_lines(const Background& run, const fs::path& file, std::ptrdiff_t lines) {
  while (run.runs() && std::ranges::count(content_of(file), '\n') < lines)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// However many workers there are, the records are the same.
TEST(Sweep, WorkersDoNotMatter) {
  for (const char* jobs : {"2", "5"}) {
    const ScratchDirectory scratch;
    EXPECT_EQ(sweep({"--jobs", jobs, "--json", scratch.path()}).exit_code, 0);
    expect_same(undisturbed(), merged(scratch.path()), std::string(jobs) + " workers");
  }
  EXPECT_GT(undisturbed().cases.size(), 10U);
  EXPECT_EQ(undisturbed().cases.size(), undisturbed().sweep.cases);
}

// The shares of three computers are the whole, and no case is done twice.
TEST(Sweep, ShardsAreTheWhole) {
  const ScratchDirectory scratch;
  for (const char* shard : {"0/3", "1/3", "2/3"})
    EXPECT_EQ(sweep({"--jobs", "2", "--shard", shard, "--json", scratch.path()}).exit_code, 0);
  expect_same(undisturbed(), merged(scratch.path()), "three shards");
  std::size_t lines = 0;
  for (const auto& entry : fs::directory_iterator(scratch.path()))
    lines += static_cast<std::size_t>(std::ranges::count(content_of(entry.path()), '\n')) - 1;
  EXPECT_EQ(lines, undisturbed().cases.size());
}

// Killed at any moment, with its workers or alone, a sweep loses nothing: --resume ends at the same
// records. PKVMEMU_SWEEP_KILLS says at how many moments.
TEST(Sweep, ResumeAfterAKill) {
  const char* wanted = std::getenv("PKVMEMU_SWEEP_KILLS");
  const int kills = wanted == nullptr ? 4 : std::atoi(wanted);
  constexpr unsigned seed = 20'261;
  std::mt19937 random(seed);
  const auto begin = std::chrono::steady_clock::now();
  {
    const ScratchDirectory scratch;
    ASSERT_EQ(sweep({"--jobs", "2", "--json", scratch.path()}).exit_code, 0);
  }
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  int in_between = 0;
  for (int i = 0; i < kills; ++i) {
    const ScratchDirectory scratch;
    const fs::path folder = scratch.path() / "out";
    const auto moment = std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(0, whole.count())(random));
    Background run(small_sweep({"--jobs", "2", "--json", folder}), scratch.path() / "err");
    std::this_thread::sleep_for(moment);
    if (i % 2 == 0)
      run.send_to_group(SIGKILL);
    else
      run.send(SIGKILL);
    if (run.wait() == 128 + SIGKILL) ++in_between;
    const auto resumed = sweep({"--jobs", "2", "--json", folder, "--resume"});
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
    expect_same(undisturbed(), merged(folder),
                "seed " + std::to_string(seed) + ", kill " + std::to_string(i) + " after " +
                    std::to_string(moment.count()) + " ms");
  }
  RecordProperty("killed_before_the_end", in_between);
  EXPECT_GT(in_between, 0);
}

// A worker that dies takes one case with it, which is told as lost and is a finding; all others are
// as ever.
TEST(Sweep, ADeadWorkerIsAResult) {
  constexpr int tries = 5;  // it may die between two cases, and then nothing is lost
  for (int attempt = 0; attempt < tries; ++attempt) {
    const ScratchDirectory scratch;
    const fs::path folder = scratch.path() / "out";
    Background run(small_sweep({"--jobs", "1", "--json", folder}), scratch.path() / "err");
    wait_for_lines(run, folder / "shard-0-of-1.jsonl", 3);
    for (const pid_t worker : run.children())
      ::kill(worker, SIGKILL);
    const int code = run.wait();
    const SweepResult found = merged(folder);
    ASSERT_EQ(ids_of(found), ids_of(undisturbed()));
    std::vector<CaseRecord> lost;
    for (std::size_t i = 0; i < found.cases.size(); ++i)
      if (found.cases[i].outcome == campaign::Outcome::lost)
        lost.push_back(found.cases[i]);
      else
        EXPECT_TRUE(found.cases[i] == undisturbed().cases[i]) << found.cases[i].id;
    if (lost.empty()) {
      EXPECT_EQ(code, 0) << content_of(scratch.path() / "err");
      continue;
    }
    EXPECT_EQ(lost.size(), 1U);
    EXPECT_EQ(code, 20);
    EXPECT_THAT(lost.front().why, HasSubstr("signal 9"));
    return;
  }
  FAIL() << "no case was lost in " << tries << " tries";
}

// Ctrl-C ends a sweep with 130 and says how to go on; what was done is kept.
TEST(Sweep, CtrlCCanBeGoneOnFrom) {
  const ScratchDirectory scratch;
  const fs::path folder = scratch.path() / "out";
  const fs::path err = scratch.path() / "err";
  Background run(small_sweep({"--jobs", "2", "--json", folder}), err);
  wait_for_lines(run, folder / "shard-0-of-1.jsonl", 2);
  run.send_to_group(SIGINT);
  EXPECT_EQ(run.wait(), 130);
  EXPECT_THAT(content_of(err), HasSubstr("interrupted; --resume goes on with the rest"));
  EXPECT_EQ(sweep({"--json", folder, "--resume"}).exit_code, 0);
  expect_same(undisturbed(), merged(folder), "after Ctrl-C");
}

struct Mistake {
  std::string sentence;
  Arguments arguments;
  int exit_code;
  std::string advice;
  friend void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.sentence; }
};
class SweepMistakes : public testing::TestWithParam<Mistake> {};
INSTANTIATE_TEST_SUITE_P(
    Sweep, SweepMistakes,
    testing::Values(
        Mistake{"NoModule", {}, 2, "no module is given"},
        Mistake{"UnknownSites", {module("hello"), "--sites", "nosuch.*"}, 2, "nosuch.*"},
        Mistake{"BadShard", {module("hello"), "--shard", "4/4"}, 2, "shard 4 of 4"},
        Mistake{"NoShard", {module("hello"), "--shard", "first"}, 2, "expected I/N"},
        Mistake{"NoJobs", {module("hello"), "--jobs", "0"}, 2, "--jobs 0"},
        Mistake{"BadJobs", {module("hello"), "--jobs", "two"}, 2, "--jobs two"},
        Mistake{"ResumeOfNothing", {module("hello"), "--resume"}, 2, "--json DIR"},
        Mistake{"MissingFile", {"nosuch.ko"}, 3, "nosuch.ko: cannot open"},
        Mistake{
            "UnknownReplay", {module("hello"), "--replay", "hyp.nosuch:nth=1"}, 2, "hyp.nosuch"},
        Mistake{"NoFolder", {module("hello"), "--json", "/dev/null/out"}, 3, "/dev/null/out"}),
    [](const auto& instance) { return instance.param.sentence; });

// A mistake is one sentence on stderr, and nothing is started.
TEST_P(SweepMistakes, AreExplained) {
  Arguments command{program, "sweep"};
  command.insert(command.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const auto run = run_process(command);
  EXPECT_EQ(run.exit_code, GetParam().exit_code);
  EXPECT_EQ(run.out, "");
  EXPECT_THAT(run.err, HasSubstr(GetParam().advice));
}

// Records of another sweep are never mixed in, with --resume or without.
TEST(Sweep, RecordsOfAnotherSweepStay) {
  const ScratchDirectory scratch;
  ASSERT_EQ(sweep({"--jobs", "2", "--json", scratch.path()}).exit_code, 0);
  const std::string before = content_of(scratch.path() / "shard-0-of-1.jsonl");
  EXPECT_EQ(sweep({"--json", scratch.path()}).exit_code, 2);
  const auto other = sweep({"--no-pvm", "--json", scratch.path(), "--resume"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("another sweep"));
  EXPECT_EQ(content_of(scratch.path() / "shard-0-of-1.jsonl"), before);
}

// --replay of a case ends as the case did: the same verdict and exit code.
TEST(Sweep, AReplayIsTheCase) {
  const auto& cases = undisturbed().cases;
  for (const std::size_t index : {std::size_t{0}, cases.size() / 2, cases.size() - 1}) {
    const CaseRecord& record = cases[index];
    const auto run = run_process({program, "sweep", module("hello"), "--replay", record.id});
    EXPECT_EQ(run.exit_code, record.exit_code) << record.id << run.err;
    for (const std::string& line : record.verdict)
      EXPECT_THAT(run.out, HasSubstr(line)) << record.id;
  }
}

class SweepCases : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Generations, SweepCases,
                         testing::Values("android14-6.1", "android15-6.6", "android16-6.12"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

// A case that went on from a snapshot is the run that started cold, with the same fault: to the
// last instruction.
TEST_P(SweepCases, AreColdRunsWithTheFault) {
  constexpr unsigned seed = 61;
  constexpr int samples = 12;
  std::mt19937 random(seed);
  const std::string hello = module(GetParam() + "/hello");
  const ScratchDirectory scratch;
  run_process({program, "sweep", hello, "--once", "--persistent", "--json", scratch.path()});
  const SweepResult all = merged(scratch.path());
  ASSERT_GT(all.cases.size(), 500U);
  for (int i = 0; i < samples; ++i) {
    const CaseRecord& record = all.cases[random() % all.cases.size()];
    // A hypervisor that panicked is given less time to go on.
    if (record.why.contains("stopped itself")) continue;
    const EmulatorRun cold = run_emulator({hello, "--fail", record.id});
    EXPECT_EQ(cold.process.exit_code, record.exit_code) << "seed " << seed << ", " << record.id;
    EXPECT_EQ(cold.report.at("instructions").get<std::uint64_t>(), record.instructions)
        << "seed " << seed << ", " << record.id;
    for (const std::string& line : record.verdict)
      EXPECT_THAT(cold.process.out, HasSubstr(line)) << "seed " << seed << ", " << record.id;
  }
}

// Every occurrence of every site, once and from then on, and no bug in the default firmware; a
// handler and an SMC go on being answered.
TEST_P(SweepCases, FindNothingInTheDefaultFirmware) {
  const ScratchDirectory scratch;
  Arguments command{program,         "sweep",        module(GetParam() + "/hello"),
                    "--once",        "--persistent", "--call",
                    "hello_hvc:1,2", "--smc",        "0xc2000001",
                    "--json",        scratch.path()};
#if __has_feature(address_sanitizer)
  command.insert(command.end(), {"--sites", "*.hvc.*"});
#endif
  const auto run = run_process(command, 300);
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  const SweepResult all = merged(scratch.path());
  std::uint64_t occurrences = 0;
  for (const auto& [site, count] : all.sweep.occurrences)
    occurrences += count;
  EXPECT_EQ(all.cases.size(), 2 * occurrences);
}

/// What a sweep of a module finds with the defects of released kernels.
std::set<std::string> found_as_shipped(const std::string& name) {
  const ScratchDirectory scratch;
  run_process({program, "sweep", module(name), "--as-shipped", "--smc", "0xc2000001", "--sites",
               "*.hvc.*", "--json", scratch.path()});
  std::set<std::string> found;
  for (const CaseRecord& record : merged(scratch.path()).cases)
    for (const campaign::Finding& finding : record.findings)
      found.insert(finding.kind == "shipped-defect" ? finding.text.substr(0, finding.text.find(' '))
                                                    : finding.kind);
  return found;
}

// With --as-shipped the sweep finds what released kernels do, and names it: the panic of a failing
// init without .hyp section, the addresses that a failed load costs, the handlers of a failed init.
TEST_P(SweepCases, NameTheDefectsOfReleasedKernels) {
  EXPECT_THAT(found_as_shipped(GetParam() + "/hello"),
              testing::IsSupersetOf({"failed-load-unmaps-wrong-address", "addresses-leaked"}));
  EXPECT_THAT(found_as_shipped(GetParam() + "/smcfails"),
              testing::Contains("failed-init-keeps-handlers"));
}

// The exit code of a sweep with a finding is 20, and the finding is told.
TEST(Sweep, AFindingIsTwenty) {
  const auto run = run_process({program, "sweep", module("hello"), "--as-shipped", "--sites",
                                "hyp.module.init", "--jobs", "1"});
  EXPECT_EQ(run.exit_code, 20) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("shipped-defect"));
}

// A pipe gets no progress bar, and no colours.
TEST(Sweep, APipeGetsNoBar) {
  const auto run = sweep({"--jobs", "2"});
  EXPECT_EQ(run.err, "");
  EXPECT_THAT(run.out, Not(HasSubstr("\r")));
  EXPECT_THAT(run.out, Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace pkvmemu::test
