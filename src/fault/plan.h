// SPDX-License-Identifier: GPL-2.0-only
// A plan: what a YAML file says of faults (docs/faults.md). Reading has two parts: what the file
// says, which needs nothing else, and what its names mean in the guest that will run.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fault/corrupt.h"
#include "fault/fault.h"
#include "support/result.h"

namespace YAML {
class Node;
}

namespace pkvmemu::fault {

/// A fault with its names not looked up yet.
struct PlannedFault {
  enum class At : std::uint8_t { site, name, smc, mmio };

  At at = At::name;
  std::string place;         ///< of `site` and `name`
  std::uint64_t number = 0;  ///< function of an SMC, address of a device register
  Turn turn{};
  std::optional<Deed> deed{};
  std::optional<std::string> flip{};
  std::vector<std::string> answer{};
  std::vector<std::string> require{};
  std::vector<std::string> reject{};
  std::string where;  ///< "plan.yaml:3:5"
};

/// What has to hold afterwards: words, judged by who knows what the run came to.
struct Expected {
  std::string subject;  ///< "loads", "console", ...
  std::string wanted;
  std::string where;  ///< "plan.yaml:9:3"
};

struct Plan {
  std::vector<PlannedFault> faults;
  std::vector<Corruption> corruptions;
  std::vector<Expected> expected;
  std::optional<std::uint64_t> seed;

  /// Whether anything goes by lot.
  [[nodiscard]] bool is_random() const;
};

/// `file` names it in messages; `subjects` are those of `expect` that there are.
Result<Plan> parse_plan(const std::string& file, std::string_view text,
                        std::span<const std::string_view> subjects);
/// A plan that stands in another file, at that node.
Result<Plan> plan_at(const std::string& file, const YAML::Node& node,
                     std::span<const std::string_view> subjects);

/// What it means in a guest with these names.
Result<Fault> resolve(const PlannedFault& planned, const Names& names);

}  // namespace pkvmemu::fault
