// SPDX-License-Identifier: GPL-2.0-only
// Reading YAML with errors that say where: each problem carries line and column, and a key that
// nobody knows is refused with the list of those that there are.
#pragma once

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace pkvmemu::scenario {

/// Counted from 1.
struct Mark {
  int line = 1;
  int column = 1;
  bool operator==(const Mark&) const = default;
};

struct Problem {
  Mark at;
  std::string message;
};

template <typename T>
using Parsed = std::expected<T, Problem>;

Mark mark_of(const YAML::Node& node);

template <typename Range, typename Value>
bool has(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

template <typename... Args>
[[nodiscard]] std::unexpected<Problem> problem(const YAML::Node& node,
                                               fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(
      Problem{.at = mark_of(node), .message = fmt::format(format, std::forward<Args>(args)...)});
}

/// "FILE:LINE:COLUMN: MESSAGE".
std::string text_of(const Problem& problem, std::string_view file);

/// The one document of a text.
Parsed<YAML::Node> read_document(const std::string& text);

/// A key of a mapping, whose value `take` reads into a T.
template <typename T>
struct Key {
  std::string_view name;
  Parsed<void> (*take)(const YAML::Node& value, T& result);
};

/// That the node is a mapping whose keys are texts, each there once.
Parsed<void> check_map(const YAML::Node& node, std::string_view what);
/// "unknown key 'x' of a scenario; there are: a, b".
std::unexpected<Problem> unknown_key(const YAML::Node& key, std::string_view what,
                                     std::span<const std::string_view> names);

/// Reads a mapping key by key, in the order of the file.
template <typename T, std::size_t N>
Parsed<void> read_map(const YAML::Node& node, std::string_view what,
                      const std::array<Key<T>, N>& keys, T& result) {
  if (auto good = check_map(node, what); !good) return good;
  for (const auto& field : node) {
    const Key<T>* found = nullptr;
    for (const Key<T>& key : keys)
      if (key.name == field.first.Scalar()) found = &key;
    if (found == nullptr) {
      std::vector<std::string_view> names;
      for (const Key<T>& key : keys)
        names.push_back(key.name);
      return unknown_key(field.first, what, names);
    }
    if (auto taken = found->take(field.second, result); !taken) return taken;
  }
  return {};
}

/// A text that is not empty.
Parsed<std::string> read_text(const YAML::Node& node);
/// A text, or a list of texts.
Parsed<std::vector<std::string>> read_texts(const YAML::Node& node);
Parsed<bool> read_flag(const YAML::Node& node);
/// Decimal, 0x hexadecimal, negative, or an error's name: EINVAL is -22.
Parsed<std::uint64_t> read_number(const YAML::Node& node);
/// A number as an error: 12, -12 and ENOMEM are -12; 0 is 0.
Parsed<std::int64_t> read_error(const YAML::Node& node);

}  // namespace pkvmemu::scenario
