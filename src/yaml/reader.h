// SPDX-License-Identifier: GPL-2.0-only
// Reading YAML strictly: every key is known or refused with its line and column, none stands twice,
// and an error names the file. The library behind it is seen by its users' sources alone.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace pkvmemu::yaml {

/// The documents of a text. Throws YAML::Exception, also where the library itself would find empty
/// documents for ever.
std::vector<YAML::Node> documents(const std::string& text);

/// A file's one document. Empty files have a node that is null.
Result<YAML::Node> parse(const std::string& file, std::string_view text);

/// "plan.yaml:3:5: ..."; lines and columns count from 1.
std::unexpected<Error> wrong(const std::string& file, const YAML::Node& node,
                             std::string_view what);

/// A map's entries; what is no map, an unknown key and one that stands twice are errors.
class Map {
 public:
  static Result<Map> of(const std::string& file, const YAML::Node& node,
                        std::span<const std::string_view> keys);

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  /// nullptr when it is not there.
  [[nodiscard]] const YAML::Node* find(std::string_view key) const;

 private:
  struct Entry {
    std::string key;
    YAML::Node value;
  };
  std::vector<Entry> entries_;
};

/// A number, decimal or 0x hexadecimal, of `least` to `most`.
struct Bounds {
  std::uint64_t least = 0;
  std::uint64_t most = ~std::uint64_t{0};
};
Result<std::uint64_t> number(const std::string& file, const YAML::Node& node, Bounds bounds = {});
/// The same, or negative (two's complement), or an error's name: EINVAL is -22.
Result<std::uint64_t> value(const std::string& file, const YAML::Node& node);
/// true or false.
Result<bool> flag(const std::string& file, const YAML::Node& node);
/// One word or text.
Result<std::string> text(const std::string& file, const YAML::Node& node);
/// One text or a list of such.
Result<std::vector<std::string>> texts(const std::string& file, const YAML::Node& node);

}  // namespace pkvmemu::yaml
