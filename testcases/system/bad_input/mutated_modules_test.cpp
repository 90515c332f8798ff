// SPDX-License-Identifier: GPL-2.0-only
// Two hundred modules damaged at random, each through `run`, with a call, and through `inspect`: no
// crash, no hang (the budget ends a guest that went astray), no silence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <string>

#include "harness/module_mutator.h"
#include "support.h"

namespace pkvmemu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr unsigned shards = 4;
constexpr unsigned modules_of_a_shard = 50;

const std::array<std::string, 6> originals = {
    "hello", "android14-6.1/hello", "android16-6.12/hello", "counter", "memory", "params"};

/// Everything that docs/cli.md promises of a run but a bug of ours (70) and Ctrl-C.
const std::set<int> run_codes = {0, 3, 10, 11, 12, 13, 14, 15};

const std::map<int, std::string> verdict_of_end = {
    {12, "hyp panic: "}, {13, "host panic: "}, {14, "run: "}};

struct Tally {
  std::set<int> run;
  std::set<int> inspect;
};

void expect_answer_of_run(const std::string& path, Tally& tally) {
  const auto run = pkvm_emu({"run", path, "--call", "128:1,2", "--budget", "50M"});
  tally.run.insert(run.exit_code);
  ASSERT_THAT(run_codes, Contains(run.exit_code)) << run.out << run.err;
  if (run.exit_code == 3) {
    expect_refusal(run, {.exit_code = 3, .parts = {path}});
    return;
  }
  const auto lines = split_lines(run.out);
  EXPECT_FALSE(lines_with(lines, "module ").empty()) << run.out;
  EXPECT_FALSE(lines_with(lines, "protected VMs: ").empty()) << run.out;
  // A run that did not come to its own end says what ended it.
  const auto end = verdict_of_end.find(run.exit_code);
  if (end == verdict_of_end.end()) return;
  EXPECT_FALSE(lines_with(lines, end->second).empty()) << run.out;
}

void expect_answer_of_inspect(const std::string& path, Tally& tally) {
  const auto inspected = pkvm_emu({"inspect", "--all", path});
  tally.inspect.insert(inspected.exit_code);
  switch (inspected.exit_code) {
    case 3:
      expect_refusal(inspected, {.exit_code = 3, .parts = {path}});
      break;
    case 0:
      EXPECT_THAT(inspected.out, HasSubstr("nothing found that keeps it from loading"));
      break;
    case 10:
      EXPECT_THAT(inspected.out, HasSubstr("-> "));
      break;
    default:
      ADD_FAILURE() << "exit code " << inspected.exit_code << ": " << inspected.err;
  }
}

class MutatedModules : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(BadModule, MutatedModules, testing::Range(0U, shards));

// Refused, not loaded, or loaded and gone wrong: whatever becomes of it is said.
TEST_P(MutatedModules, AlwaysAnAnswer) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() / "mutated.ko";
  const Bytes other = content_of(module("serial"));
  Tally tally;
  for (unsigned i = 0; i < modules_of_a_shard; ++i) {
    const unsigned seed = GetParam() * modules_of_a_shard + i;
    const std::string& original = originals.at(seed % originals.size());
    const auto mutated = ModuleMutator(seed).mutate(content_of(module(original)), other);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", " << original << ": " << mutated.what);
    put(path, mutated.bytes);
    expect_answer_of_run(path, tally);
    expect_answer_of_inspect(path, tally);
  }
  EXPECT_THAT(tally.run, testing::IsSupersetOf({0, 3, 10})) << "the changes reach too little";
  EXPECT_THAT(tally.inspect, testing::IsSupersetOf({0, 3, 10}));
}

}  // namespace
}  // namespace pkvmemu::test
