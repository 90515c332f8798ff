// SPDX-License-Identifier: GPL-2.0-only
// A plan from its YAML.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "fault/plan.h"
#include "yaml/file_reader.h"

namespace pkvmemu::fault {
namespace {

constexpr std::array<std::string_view, 3> plan_keys = {"faults", "expect", "seed"};
constexpr std::array<std::string_view, 16> fault_keys = {
    "site",        "at",    "smc",     "mmio",   "corrupt", "nth",    "times", "interval",
    "probability", "space", "require", "reject", "return",  "answer", "flip",  "do"};
constexpr std::array<std::string_view, 5> corrupt_keys = {"module", "section", "offset", "xor",
                                                          "write"};
constexpr std::array<std::string_view, 5> places = {"site", "at", "smc", "mmio", "corrupt"};
constexpr std::array<std::string_view, 4> actions = {"return", "answer", "flip", "do"};

struct PlaceRow {
  std::string_view key;
  PlannedFault::At at;
  bool is_number = false;
};
constexpr std::array place_rows = {
    PlaceRow{"site", PlannedFault::At::site}, PlaceRow{"at", PlannedFault::At::name},
    PlaceRow{"smc", PlannedFault::At::smc, true}, PlaceRow{"mmio", PlannedFault::At::mmio, true}};

class Reader : yaml::FileReader {
 public:
  Reader(const std::string& file, std::span<const std::string_view> subjects)
      : FileReader(file), subjects_(subjects) {}

  Result<Plan> read(const YAML::Node& root) {
    if (root.IsNull()) return fail("{}: the plan is empty", file());
    if (const auto map = map_of(root, plan_keys)) {
      if (map->has("seed")) plan_.seed = number(*map, "seed", 0);
      if (const auto* faults = map->find("faults")) read_faults(*faults);
      if (const auto* expect = map->find("expect")) read_expect(*expect);
    }
    if (error()) return std::unexpected(*error());
    return std::move(plan_);
  }

 private:
  void read_faults(const YAML::Node& list) {
    if (!list.IsSequence()) return wrong(list, "expected a list of faults, each with a '-'");
    for (const YAML::Node& node : list) {
      const auto map = map_of(node, fault_keys);
      if (!map) return;
      count_keys(*map, node);
      if (map->has("corrupt"))
        read_corruption(*map, node);
      else
        read_fault(*map, node);
    }
  }

  /// One place, and at most one thing that happens there.
  void count_keys(const yaml::Map& map, const YAML::Node& node) {
    const auto given = [&](std::string_view key) { return map.has(key); };
    if (std::ranges::count_if(places, given) != 1)
      wrong(node, "expected one of site, at, smc, mmio and corrupt");
    if (std::ranges::count_if(actions, given) > 1)
      wrong(node, "a fault does one thing: return, answer, flip or do");
  }

  void read_fault(const yaml::Map& map, const YAML::Node& node) {
    PlannedFault fault;
    fault.turn = turn_of(map);
    fault.where = where(node);
    for (const PlaceRow& row : place_rows) {
      if (!map.has(row.key)) continue;
      fault.at = row.at;
      if (row.is_number)
        fault.number = number(map, row.key, 0);
      else
        fault.place = text(map, row.key);
    }
    for (const std::string_view key : {"return", "answer"})
      if (map.has(key)) fault.answer = texts(map, key);
    if (map.has("flip")) fault.flip = text(map, "flip");
    if (const auto* deed = map.find("do")) {
      fault.deed = deed->IsScalar() ? deed_of(deed->Scalar()) : std::nullopt;
      if (!fault.deed) wrong(*deed, "expected one of " + deed_names());
    }
    fault.require = texts(map, "require");
    fault.reject = texts(map, "reject");
    plan_.faults.push_back(std::move(fault));
  }

  Turn turn_of(const yaml::Map& map) {
    Turn turn;
    turn.nth = number(map, "nth", turn.nth, {.least = 1});
    turn.space = number(map, "space", turn.space);
    turn.interval = number(map, "interval", turn.interval, {.least = 1});
    turn.probability =
        static_cast<unsigned>(number(map, "probability", turn.probability, {.most = always}));
    if (const auto* times = map.find("times")) {
      const auto count = parse_times(text(map, "times"));
      if (!count) wrong(*times, count.error().message);
      turn.times = count.value_or(turn.times);
    }
    return turn;
  }

  void read_corruption(const yaml::Map& fault, const YAML::Node& node) {
    for (const std::string_view key : fault_keys)
      if (key != "corrupt" && fault.has(key))
        wrong(node, fmt::format("a file is corrupted before the run: '{}' means nothing", key));
    const YAML::Node& own = *fault.find("corrupt");
    const auto map = map_of(own, corrupt_keys);
    if (!map) return;
    Corruption corruption;
    corruption.module = text(*map, "module");
    corruption.where = where(own);
    if (corruption.module.empty()) wrong(own, "expected the name of a 'module'");
    if (map->has("section")) corruption.section = text(*map, "section");
    corruption.offset = number(*map, "offset", 0);
    if (map->has("xor") == map->has("write")) return wrong(own, "expected either 'xor' or 'write'");
    const bool overwrites = map->has("write");
    if (overwrites) corruption.kind = Corruption::Kind::overwrite;
    corruption.bytes = bytes_in(*map->find(overwrites ? "write" : "xor"));
    plan_.corruptions.push_back(std::move(corruption));
  }

  /// One byte or a list of them.
  std::vector<std::byte> bytes_in(const YAML::Node& node) {
    constexpr std::uint64_t largest_byte = 255;
    const auto byte = [&](const YAML::Node& item) {
      return static_cast<std::byte>(
          taken(yaml::number(file(), item, {.most = largest_byte}), std::uint64_t{0}));
    };
    if (!node.IsSequence()) return {byte(node)};
    std::vector<std::byte> bytes;
    for (const YAML::Node& item : node)
      bytes.push_back(byte(item));
    if (bytes.empty()) wrong(node, "expected at least one byte");
    return bytes;
  }

  void read_expect(const YAML::Node& node) {
    const auto map = map_of(node, subjects_);
    if (!map) return;
    for (const std::string_view subject : subjects_)
      for (const std::string& wanted : texts(*map, subject))
        plan_.expected.push_back({.subject = std::string(subject),
                                  .wanted = wanted,
                                  .where = where(*map->find(subject))});
  }

  std::span<const std::string_view> subjects_;
  Plan plan_;
};

}  // namespace

Result<Plan> parse_plan(const std::string& file, std::string_view text,
                        std::span<const std::string_view> subjects) {
  const auto root = yaml::parse(file, text);
  if (!root) return std::unexpected(root.error());
  return plan_at(file, *root, subjects);
}

Result<Plan> plan_at(const std::string& file, const YAML::Node& node,
                     std::span<const std::string_view> subjects) {
  return Reader(file, subjects).read(node);
}

}  // namespace pkvmemu::fault
