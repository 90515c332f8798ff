// SPDX-License-Identifier: GPL-2.0-only
// What readers of one YAML file have in common: the first error is kept, and what is read after it
// is of no account. So a reader reads straight on, and asks once, at its end.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/result.h"
#include "yaml/reader.h"

namespace pkvmemu::yaml {

/// A word of a file, and what it stands for.
template <typename T>
struct Word {
  std::string_view name;
  T meaning;
};

class FileReader {
 public:
  /// `file` outlives it.
  explicit FileReader(const std::string& file) : file_(file) {}

 protected:
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::string where(const YAML::Node& node) const {
    return fmt::format("{}:{}:{}", file_, node.Mark().line + 1, node.Mark().column + 1);
  }

  void note(const Error& error) {
    if (!error_) error_ = error;
  }
  void wrong(const YAML::Node& node, std::string_view what) {
    note(yaml::wrong(file_, node, what).error());
  }
  template <typename T>
  T taken(Result<T> result, T otherwise) {
    if (result) return std::move(*result);
    note(result.error());
    return otherwise;
  }

  std::optional<Map> map_of(const YAML::Node& node, std::span<const std::string_view> keys) {
    auto map = Map::of(file_, node, keys);
    if (map) return std::move(*map);
    note(map.error());
    return std::nullopt;
  }
  // Of a key that may be there.
  std::string text(const Map& map, std::string_view key) {
    const auto* const node = map.find(key);
    return node == nullptr ? "" : taken(yaml::text(file_, *node), std::string());
  }
  std::vector<std::string> texts(const Map& map, std::string_view key) {
    const auto* const node = map.find(key);
    if (node == nullptr) return {};
    return taken(yaml::texts(file_, *node), std::vector<std::string>());
  }
  bool flag(const Map& map, std::string_view key) {
    const auto* const node = map.find(key);
    return node != nullptr && taken(yaml::flag(file_, *node), false);
  }
  std::uint64_t number(const Map& map, std::string_view key, std::uint64_t otherwise,
                       Bounds bounds = {}) {
    const auto* const node = map.find(key);
    return node == nullptr ? otherwise : taken(yaml::number(file_, *node, bounds), otherwise);
  }
  template <typename T, std::size_t N>
  T word(const Map& map, std::string_view key, const std::array<Word<T>, N>& words, T otherwise) {
    const auto* const node = map.find(key);
    if (node == nullptr) return otherwise;
    const std::string given = node->IsScalar() ? node->Scalar() : "";
    std::string names;
    for (const Word<T>& known : words) {
      if (known.name == given) return known.meaning;
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
    }
    wrong(*node, fmt::format("expected one of {}", names));
    return otherwise;
  }

 private:
  const std::string& file_;
  std::optional<Error> error_;
};

}  // namespace pkvmemu::yaml
