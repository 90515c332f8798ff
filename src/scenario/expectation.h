// SPDX-License-Identifier: GPL-2.0-only
// What a scenario expects of a run, and how what the run came to differs from it. Each expectation
// is one sentence with a place in the file, so that a failure shows both sides and where it stands.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "observe/report.h"
#include "scenario/yaml.h"

namespace pkvmemu::scenario {

/// What the run came to.
struct Observed {
  const observe::RunReport& report;
  std::vector<std::string> verdict;  ///< its lines
};

struct Expectation {
  std::string subject;  ///< "exit", "modules.hello", "do 2 (call hello_hvc).x1"
  Mark at;
  std::string expected;  ///< for people
  /// What is there instead; nothing when it is as expected.
  std::function<std::optional<std::string>(const Observed&)> difference;
  /// What a generation's own expectation replaces as a whole; the subject itself when empty.
  std::string group{};
};
using Expectations = std::vector<Expectation>;

struct Mismatch {
  std::string subject;
  Mark at;
  std::string expected;
  std::string got;
  bool operator==(const Mismatch&) const = default;
};

/// The guest's console without line ends and empty lines.
std::vector<std::string> console_lines(const Observed& observed);

std::vector<Mismatch> check(const Expectations& expectations, const Observed& observed);

/// Reads the `expect:` of a scenario. In `in: {KMI: ...}` stand those of a generation; they replace
/// the general ones of the same subject. Exit code 0 is expected unless something else is.
Parsed<Expectations> read_expectations(const YAML::Node& node, pkvm::Generation generation);

/// What stands there without an `expect:`.
Expectations default_expectations();

/// A wish whose result can be looked for: the `index`-th of its kind in the report.
struct WishResult {
  enum class Kind : std::uint8_t { call, touch, guest, late, attack };
  Kind kind = Kind::call;
  std::size_t index = 0;
  std::string target;   ///< a late module's name, an attack's pattern
  std::string subject;  ///< what messages call it
};
/// Reads the `expect:` of a wish, with `in:` as above.
Parsed<Expectations> read_wish_expectations(const YAML::Node& node, const WishResult& wish,
                                            pkvm::Generation generation);

}  // namespace pkvmemu::scenario
