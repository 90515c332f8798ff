// SPDX-License-Identifier: GPL-2.0-only
#include "scenario/yaml.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "pkvm/errno.h"
#include "support/number.h"
#include "yaml/reader.h"

namespace pkvmemu::scenario {
namespace {

constexpr std::int64_t largest_errno = 4095;  // Linux: MAX_ERRNO

Mark mark_of(const YAML::Mark& mark) {
  return {.line = std::max(mark.line, 0) + 1, .column = std::max(mark.column, 0) + 1};
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto* const row = std::ranges::find(pkvm::errno_rows, text, &pkvm::ErrnoRow::name);
  if (row != pkvm::errno_rows.end())
    return std::uint64_t{0} - static_cast<std::uint64_t>(row->number);
  constexpr int ten = 10;
  const auto value = text.starts_with("0x") ? hexadecimal_in(text.substr(2)) : digits_in(text, ten);
  if (!value) return std::nullopt;
  return negative ? std::uint64_t{0} - *value : *value;
}

}  // namespace

Mark mark_of(const YAML::Node& node) {
  return mark_of(node.Mark());
}

std::string text_of(const Problem& problem, std::string_view file) {
  return fmt::format("{}:{}:{}: {}", file, problem.at.line, problem.at.column, problem.message);
}

Parsed<YAML::Node> read_document(const std::string& text) {
  try {
    const std::vector<YAML::Node> all = yaml::documents(text);
    if (all.size() == 1 && !all.front().IsNull()) return all.front();
    if (all.size() > 1) return problem(all[1], "a second document: expected one in a file");
    return std::unexpected(Problem{.at = {}, .message = "there is nothing in it"});
  } catch (const YAML::Exception& error) {
    return std::unexpected(Problem{.at = mark_of(error.mark), .message = error.msg});
  }
}

Parsed<void> check_map(const YAML::Node& node, std::string_view what) {
  if (!node.IsMap()) return problem(node, "{}: expected 'key: value' lines", what);
  std::set<std::string> seen;
  for (const auto& field : node) {
    if (!field.first.IsScalar()) return problem(field.first, "a key that is no text");
    if (!seen.insert(field.first.Scalar()).second)
      return problem(field.first, "'{}' is there twice", field.first.Scalar());
  }
  return {};
}

std::unexpected<Problem> unknown_key(const YAML::Node& key, std::string_view what,
                                     std::span<const std::string_view> names) {
  return problem(key, "unknown key '{}' of {}; there are: {}", key.Scalar(), what,
                 fmt::join(names, ", "));
}

Parsed<std::string> read_text(const YAML::Node& node) {
  if (!node.IsScalar() || node.Scalar().empty()) return problem(node, "expected a text");
  return node.Scalar();
}

Parsed<std::vector<std::string>> read_texts(const YAML::Node& node) {
  std::vector<std::string> texts;
  if (!node.IsSequence()) {
    auto text = read_text(node);
    if (!text) return problem(node, "expected a text or a list of texts");
    texts.push_back(std::move(*text));
    return texts;
  }
  for (const YAML::Node& item : node) {
    auto text = read_text(item);
    if (!text) return std::unexpected(text.error());
    texts.push_back(std::move(*text));
  }
  return texts;
}

Parsed<bool> read_flag(const YAML::Node& node) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  if (text == "true" || text == "yes") return true;
  if (text == "false" || text == "no") return false;
  return problem(node, "expected true or false");
}

Parsed<std::uint64_t> read_number(const YAML::Node& node) {
  const auto number = node.IsScalar() ? number_in(node.Scalar()) : std::nullopt;
  if (!number)
    return problem(node, "expected a number, such as 17, 0x11 or -1, or an error's name, ENOMEM");
  return *number;
}

Parsed<std::int64_t> read_error(const YAML::Node& node) {
  const auto number = read_number(node);
  if (!number) return problem(node, "expected an error, like ENOMEM or -12");
  const auto value = static_cast<std::int64_t>(*number);
  if (value < -largest_errno || value > largest_errno)
    return problem(node, "expected an error, like ENOMEM or -12");
  return value < 0 ? value : -value;
}

}  // namespace pkvmemu::scenario
