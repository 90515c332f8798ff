// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pkvmemu::tool {
namespace {

using testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

Result<std::optional<Share>> share_in(Variables variables) {
  return share_of(
      [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      });
}

Variables slurm(std::string id, std::string min, std::string step, std::string count) {
  return {{"SLURM_ARRAY_TASK_ID", std::move(id)},
          {"SLURM_ARRAY_TASK_MIN", std::move(min)},
          {"SLURM_ARRAY_TASK_STEP", std::move(step)},
          {"SLURM_ARRAY_TASK_COUNT", std::move(count)}};
}

// I/N is a share of N; the last index is N - 1.
TEST(ShareText, GoodForms) {
  EXPECT_EQ(*parse_share("0/1"), (Share{.index = 0, .count = 1}));
  EXPECT_EQ(*parse_share("3/4"), (Share{.index = 3, .count = 4}));
  EXPECT_EQ(*parse_share("0xf/0x10"), (Share{.index = 15, .count = 16}));
}

// Anything else is refused with the form that is expected, and never guessed at.
TEST(ShareText, BadOnesAreExplained) {
  for (const char* text : {"", "/", "1", "0/", "/4", "a/4", "0/b", "0/4/2", "0 /4", "0.5/4"}) {
    const auto share = parse_share(text);
    ASSERT_FALSE(share) << text;
    EXPECT_THAT(share.error().message, HasSubstr("expected I/N")) << text;
  }
  for (const char* text : {"4/4", "0/0", "7/4", "-1/4"}) {
    const auto share = parse_share(text);
    ASSERT_FALSE(share) << text;
    EXPECT_THAT(share.error().message, HasSubstr("expected a number from 0 to one below")) << text;
  }
  // More cases than there can be: the workers' shares would not be numbers any more.
  for (const char* text : {"0/0xffffffffffffffff", "0/-1", "0/1000001"})
    EXPECT_FALSE(parse_share(text)) << text;
}

// The workers of all shards have each number once.
TEST(ShareOfWorker, DealsEachNumberOnce) {
  constexpr std::uint64_t numbers = 60;
  for (std::uint64_t shards = 1; shards <= 4; ++shards)
    for (unsigned workers = 1; workers <= 5; ++workers) {
      std::vector<unsigned> dealt(numbers);
      for (std::uint64_t index = 0; index < shards; ++index)
        for (unsigned worker = 0; worker < workers; ++worker) {
          const Share part = Share{.index = index, .count = shards}.of_worker(worker, workers);
          for (std::uint64_t number = part.index; number < numbers; number += part.count) {
            EXPECT_EQ(number % shards, index);
            ++dealt[number];
          }
        }
      EXPECT_THAT(dealt, testing::Each(1U)) << shards << " shards of " << workers << " workers";
    }
}

// Outside of Slurm, Kubernetes and GNU parallel nobody says anything.
TEST(ShareInEnvironment, NothingIsToldByNobody) {
  EXPECT_EQ(*share_in({}), std::nullopt);
  // Each alone does not say how many there are: a process of another job is no part of a sweep.
  EXPECT_EQ(*share_in({{"JOB_COMPLETION_INDEX", "2"}}), std::nullopt);
  EXPECT_EQ(*share_in({{"PARALLEL_SEQ", "2"}}), std::nullopt);
  EXPECT_EQ(*share_in({{"SLURM_ARRAY_TASK_ID", "2"}}), std::nullopt);
}

// A Kubernetes index counts from 0, and a sequence of GNU parallel from 1.
TEST(ShareInEnvironment, KubernetesAndParallel) {
  EXPECT_EQ(**share_in({{"PKVM_EMU_SHARDS", "5"}, {"JOB_COMPLETION_INDEX", "4"}}),
            (Share{.index = 4, .count = 5}));
  EXPECT_EQ(**share_in({{"PKVM_EMU_SHARDS", "5"}, {"PARALLEL_SEQ", "5"}}),
            (Share{.index = 4, .count = 5}));
}

// Slurm's arrays may start anywhere and leave tasks out: the tasks 5, 8, 11, ... of 5-20:3 are 0,
// 1, 2, ...
TEST(ShareInEnvironment, SlurmArrays) {
  EXPECT_EQ(**share_in(slurm("0", "0", "1", "4")), (Share{.index = 0, .count = 4}));
  EXPECT_EQ(**share_in(slurm("4", "1", "1", "4")), (Share{.index = 3, .count = 4}));
  std::set<std::uint64_t> indexes;
  for (int task = 5; task <= 20; task += 3)
    indexes.insert((*share_in(slurm(std::to_string(task), "5", "3", "6")))->index);
  EXPECT_THAT(indexes, testing::ElementsAre(0, 1, 2, 3, 4, 5));
  // Old versions of Slurm tell no step.
  EXPECT_EQ(**share_in({{"SLURM_ARRAY_TASK_ID", "3"}, {"SLURM_ARRAY_TASK_COUNT", "4"}}),
            (Share{.index = 3, .count = 4}));
}

// An array that is a list (1,5,7) has no step that says which task this is: better no sweep than
// one that leaves cases out or does them twice.
TEST(ShareInEnvironment, ASlurmListIsNoShare) {
  EXPECT_FALSE(share_in(slurm("7", "1", "1", "3")));
  EXPECT_FALSE(share_in(slurm("6", "5", "3", "6")));
}

struct Nonsense {
  Variables variables;
  std::string part;
};

// What makes no sense is an error that names the variable.
TEST(ShareInEnvironment, NonsenseIsExplained) {
  const std::vector<Nonsense> rows{
      {{{"PKVM_EMU_SHARDS", "many"}, {"JOB_COMPLETION_INDEX", "0"}}, "PKVM_EMU_SHARDS=many"},
      {{{"PKVM_EMU_SHARDS", "0"}, {"JOB_COMPLETION_INDEX", "0"}}, "JOB_COMPLETION_INDEX: shard 0"},
      {{{"PKVM_EMU_SHARDS", "4"}, {"JOB_COMPLETION_INDEX", "x"}}, "JOB_COMPLETION_INDEX=x"},
      {{{"PKVM_EMU_SHARDS", "4"}, {"JOB_COMPLETION_INDEX", "4"}}, "JOB_COMPLETION_INDEX: shard 4"},
      {{{"PKVM_EMU_SHARDS", "4"}, {"PARALLEL_SEQ", "0"}}, "PARALLEL_SEQ=0: starts from 1"},
      {{{"PKVM_EMU_SHARDS", "4"}, {"PARALLEL_SEQ", "5"}}, "PARALLEL_SEQ: shard 4"},
      {{{"PKVM_EMU_SHARDS", "4"}}, "neither JOB_COMPLETION_INDEX nor PARALLEL_SEQ"},
      {slurm("a", "0", "1", "4"), "SLURM_ARRAY_TASK_ID=a"},
      {slurm("0", "b", "1", "4"), "SLURM_ARRAY_TASK_MIN=b"},
      {slurm("0", "0", "c", "4"), "SLURM_ARRAY_TASK_STEP=c"},
      {slurm("0", "0", "1", "d"), "SLURM_ARRAY_TASK_COUNT=d"},
      {slurm("0", "3", "1", "4"), "lies before the array's first task, 3"},
      {slurm("9", "0", "1", "4"), "SLURM_ARRAY_TASK_ID: shard 9 of 4"},
      {slurm("0", "0", "0", "4"), "SLURM_ARRAY_TASK_STEP=0"},
  };
  for (const Nonsense& row : rows) {
    const auto share = share_in(row.variables);
    ASSERT_FALSE(share) << row.part;
    EXPECT_THAT(share.error().message, HasSubstr(row.part));
  }
}

}  // namespace
}  // namespace pkvmemu::tool
