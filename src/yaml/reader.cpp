// SPDX-License-Identifier: GPL-2.0-only
#include "yaml/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include "pkvm/errno.h"
#include "support/number.h"

namespace pkvmemu::yaml {
namespace {

std::unexpected<Error> wrong_at(const std::string& file, const YAML::Mark& mark,
                                std::string_view what) {
  if (mark.is_null()) return fail("{}: {}", file, what);
  return fail("{}:{}:{}: {}", file, mark.line + 1, mark.column + 1, what);
}

// yaml-cpp 0.7 reads nothing where a document begins with a token that cannot begin one, as in ",":
// LoadAll then finds an empty document there for ever. This handler goes before it and refuses a
// second document at the place of the one before.
class Advance : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (last_ == mark.pos)
      throw YAML::ParserException(mark, "expected a value, a list, a map, or the file's end");
    last_ = mark.pos;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/,
                       YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}

 private:
  std::optional<int> last_;
};

}  // namespace

std::vector<YAML::Node> documents(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Advance advance;
  while (parser.HandleNextDocument(advance)) {
  }
  return YAML::LoadAll(text);
}

Result<YAML::Node> parse(const std::string& file, std::string_view text) {
  try {
    const std::vector<YAML::Node> all = documents(std::string(text));
    if (all.size() > 1) return wrong(file, all[1], "expected one document");
    return all.empty() ? YAML::Node{} : all.front();
  } catch (const YAML::Exception& problem) {
    return wrong_at(file, problem.mark, problem.msg);
  } catch (const std::exception& problem) {
    return fail("{}: {}", file, problem.what());
  }
}

std::unexpected<Error> wrong(const std::string& file, const YAML::Node& node,
                             std::string_view what) {
  return wrong_at(file, node.Mark(), what);
}

Result<Map> Map::of(const std::string& file, const YAML::Node& node,
                    std::span<const std::string_view> keys) {
  if (!node.IsMap())
    return wrong(file, node, fmt::format("expected a map with some of {}", fmt::join(keys, ", ")));
  Map map;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::ranges::find(keys, key) == keys.end())
      return wrong(file, entry.first,
                   fmt::format("unknown key '{}'; there are {}", key, fmt::join(keys, ", ")));
    if (map.has(key)) return wrong(file, entry.first, fmt::format("'{}' is given twice", key));
    map.entries_.push_back({.key = key, .value = entry.second});
  }
  return map;
}

const YAML::Node* Map::find(std::string_view key) const {
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  return found == entries_.end() ? nullptr : &found->value;
}

Result<std::uint64_t> number(const std::string& file, const YAML::Node& node, Bounds bounds) {
  const auto value = node.IsScalar() ? number_in(node.Scalar()) : std::nullopt;
  if (value && *value >= bounds.least && *value <= bounds.most) return *value;
  const std::string found = node.IsScalar() ? fmt::format(", not '{}'", node.Scalar()) : "";
  const std::string most =
      bounds.most == ~std::uint64_t{0} ? "" : fmt::format(" to {}", bounds.most);
  return wrong(file, node, fmt::format("expected a number from {}{}{}", bounds.least, most, found));
}

Result<std::uint64_t> value(const std::string& file, const YAML::Node& node) {
  std::string_view digits = node.IsScalar() ? std::string_view(node.Scalar()) : "";
  const auto* const row = std::ranges::find(pkvm::errno_rows, digits, &pkvm::ErrnoRow::name);
  if (row != pkvm::errno_rows.end())
    return std::uint64_t{0} - static_cast<std::uint64_t>(row->number);
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const auto read = number_in(digits);
  if (!read)
    return wrong(file, node, "expected a number, such as 17, 0x11 or -1, or an error's name");
  return negative ? std::uint64_t{0} - *read : *read;
}

Result<bool> flag(const std::string& file, const YAML::Node& node) {
  const std::string word = node.IsScalar() ? node.Scalar() : "";
  if (word == "true" || word == "yes") return true;
  if (word == "false" || word == "no") return false;
  return wrong(file, node, "expected true or false");
}

Result<std::string> text(const std::string& file, const YAML::Node& node) {
  if (!node.IsScalar()) return wrong(file, node, "expected one word or text");
  return node.Scalar();
}

Result<std::vector<std::string>> texts(const std::string& file, const YAML::Node& node) {
  if (!node.IsSequence()) {
    auto one = text(file, node);
    if (!one) return std::unexpected(one.error());
    return std::vector{std::move(*one)};
  }
  std::vector<std::string> all;
  for (const YAML::Node& item : node) {
    auto one = text(file, item);
    if (!one) return std::unexpected(one.error());
    all.push_back(std::move(*one));
  }
  return all;
}

}  // namespace pkvmemu::yaml
