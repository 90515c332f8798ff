// SPDX-License-Identifier: GPL-2.0-only
// What is wrong with a module, in the order in which a kernel would come across it. A check is a
// function that adds to the list: findings.cpp has those of any module, findings_el2.cpp those of
// the EL2 half.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inspect/parts.h"

namespace pkvmemu::inspect {

struct Problems {
  const ModuleIndex& module;
  const Facts& facts;
  std::vector<Finding> found;

  void add(Level level, pkvm::Errno error, std::string text, std::string advice) {
    found.push_back(
        {.level = level, .error = error, .text = std::move(text), .advice = std::move(advice)});
  }
  [[nodiscard]] const image::Section* section(std::string_view name) const {
    for (const image::Section& own : module.sections())
      if (own.index != 0 && own.name == name) return &own;
    return nullptr;
  }
};

/// How many places one finding names.
inline constexpr std::size_t most_examples = 3;

/// "a, b, c and 4 more".
template <typename Range>
std::string examples(const Range& all) {
  std::vector<std::string> shown;
  for (const auto& item : all) {
    if (shown.size() == most_examples) break;
    shown.emplace_back(item);
  }
  const std::string text = fmt::format("{}", fmt::join(shown, ", "));
  return all.size() <= most_examples
             ? text
             : fmt::format("{} and {} more", text, all.size() - shown.size());
}

/// Undefined symbols of the EL2 half.
void check_hyp_imports(Problems& out);
/// Everything else about the EL2 half.
void check_el2(Problems& out);

}  // namespace pkvmemu::inspect
