// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_share.h"

#include <array>

#include "rc.h"

namespace pkvmemu::tool {
namespace {

/// Who numbers the tasks of a job, and from what on.
struct IndexRow {
  const char* variable;
  std::uint64_t first;
};
constexpr std::array index_rows{IndexRow{.variable = "JOB_COMPLETION_INDEX", .first = 0},
                                IndexRow{.variable = "PARALLEL_SEQ", .first = 1}};
constexpr const char* count_variable = "PKVM_EMU_SHARDS";
/// More than anybody has; times the workers of each it is still a number.
constexpr std::uint64_t most_shards = 1'000'000;

Result<std::uint64_t> number_in(const std::string& variable, const std::string& text) {
  const auto number = parse_number(text);
  if (!number) return fail("{}={}: expected a number", variable, text);
  return *number;
}

Result<Share> checked(std::uint64_t index, std::uint64_t count, std::string_view source) {
  if (count == 0 || index >= count)
    return fail("{}: shard {} of {}: expected a number from 0 to one below how many there are",
                source, index, count);
  if (count > most_shards)
    return fail("{}: {} shards: expected at most {}", source, count, most_shards);
  return Share{.index = index, .count = count};
}

/// A Slurm array may begin anywhere and have gaps: 5-20:3.
Result<std::optional<Share>> share_of_slurm(const Environment& environment) {
  const auto id = environment("SLURM_ARRAY_TASK_ID");
  const auto count = environment("SLURM_ARRAY_TASK_COUNT");
  if (!id || !count) return std::nullopt;
  const auto task = number_in("SLURM_ARRAY_TASK_ID", *id);
  const auto tasks = number_in("SLURM_ARRAY_TASK_COUNT", *count);
  const auto first =
      number_in("SLURM_ARRAY_TASK_MIN", environment("SLURM_ARRAY_TASK_MIN").value_or("0"));
  const auto step =
      number_in("SLURM_ARRAY_TASK_STEP", environment("SLURM_ARRAY_TASK_STEP").value_or("1"));
  for (const auto* one : {&task, &tasks, &first, &step})
    if (!*one) return std::unexpected(one->error());
  if (*step == 0) return fail("SLURM_ARRAY_TASK_STEP=0: expected 1 or more");
  if (*task < *first)
    return fail("SLURM_ARRAY_TASK_ID={}: lies before the array's first task, {}", *task, *first);
  // A list (1,5,6) tells a step all the same, and tasks of it come here, or are past the count.
  if ((*task - *first) % *step != 0)
    return fail("SLURM_ARRAY_TASK_ID={}: no step of {} from {} leads there", *task, *step, *first);
  return checked((*task - *first) / *step, *tasks, "SLURM_ARRAY_TASK_ID");
}

}  // namespace

Result<Share> parse_share(std::string_view text) {
  const auto slash = text.find('/');
  const auto index = parse_number(text.substr(0, slash));
  const auto count =
      slash == std::string_view::npos ? std::nullopt : parse_number(text.substr(slash + 1));
  if (!index || !count)
    return fail("--shard {}: expected I/N, such as 0/4 for the first of four", text);
  return checked(*index, *count, "--shard");
}

Result<std::optional<Share>> share_of(const Environment& environment) {
  const auto shards = environment(count_variable);
  if (!shards) return share_of_slurm(environment);
  const auto count = number_in(count_variable, *shards);
  if (!count) return std::unexpected(count.error());
  for (const IndexRow& row : index_rows) {
    const auto text = environment(row.variable);
    if (!text) continue;
    const auto number = number_in(row.variable, *text);
    if (!number) return std::unexpected(number.error());
    if (*number < row.first) return fail("{}={}: starts from {}", row.variable, *text, row.first);
    return checked(*number - row.first, *count, row.variable);
  }
  return fail(
      "{}={}: and which of them this is, neither JOB_COMPLETION_INDEX nor PARALLEL_SEQ says",
      count_variable, *shards);
}

}  // namespace pkvmemu::tool
