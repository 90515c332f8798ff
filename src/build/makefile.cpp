// SPDX-License-Identifier: GPL-2.0-only
#include "build/makefile.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace pkvmemu::build {
namespace {

constexpr std::string_view supported =
    "supported are assignments (=, :=, ?=, +=), $(VARIABLE), ifeq, ifneq, ifdef, ifndef, else, "
    "endif, and rules, which are skipped";
constexpr unsigned max_depth = 200;
constexpr unsigned max_expansions = 100'000;
constexpr std::size_t max_value = 1 << 20;
constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

/// The first word, and what follows it.
std::pair<std::string_view, std::string_view> first_word(std::string_view line) {
  const std::size_t end = std::min(line.find_first_of(" \t("), line.size());
  return {line.substr(0, end), trimmed(line.substr(end))};
}

std::string_view without_comment(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at)
    if (line[at] == '#' && (at == 0 || line[at - 1] != '\\')) return line.substr(0, at);
  return line;
}

/// Where the reference whose opening bracket is at `open` closes.
std::optional<std::size_t> closing(std::string_view text, std::size_t open) {
  const char opens = text[open];
  const char closes = opens == '(' ? ')' : '}';
  unsigned depth = 0;
  for (std::size_t at = open; at < text.size(); ++at) {
    if (text[at] == opens) ++depth;
    if (text[at] == closes && --depth == 0) return at;
  }
  return std::nullopt;
}

/// Calls `visit` with each position outside $(...) until it answers true.
template <typename Visit>
std::size_t find_outside_references(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool reference =
        text[at] == '$' && at + 1 < text.size() && (text[at + 1] == '(' || text[at + 1] == '{');
    if (reference) {
      const auto end = closing(text, at + 1);
      if (!end) return std::string_view::npos;
      at = *end;
      continue;
    }
    if (visit(at)) return at;
  }
  return std::string_view::npos;
}

struct Split {
  enum class Kind { assignment, rule, neither } kind = Kind::neither;
  std::string_view left = {};
  std::string_view operation = {};
  std::string_view right = {};
};

/// An assignment when its operator comes before any other colon.
Split split_line(std::string_view line) {
  constexpr std::array<std::string_view, 6> operators = {"::=", ":=", "+=", "?=", "!=", "="};
  std::string_view found;
  const std::size_t at = find_outside_references(line, [&](std::size_t here) {
    for (const std::string_view op : operators) {
      if (!line.substr(here).starts_with(op)) continue;
      found = op;
      return true;
    }
    return line[here] == ':';
  });
  if (at == std::string_view::npos) return {};
  if (found.empty()) return {.kind = Split::Kind::rule};
  return {.kind = Split::Kind::assignment,
          .left = trimmed(line.substr(0, at)),
          .operation = found,
          .right = trimmed(line.substr(at + found.size()))};
}

/// ifeq's two sides: (a,b) or "a" "b".
std::optional<std::pair<std::string_view, std::string_view>> two_sides(std::string_view text) {
  if (text.starts_with('(')) {
    const auto end = closing(text, 0);
    if (!end || *end + 1 != text.size()) return std::nullopt;
    const std::string_view inside = text.substr(1, *end - 1);
    const std::size_t comma =
        find_outside_references(inside, [&](std::size_t at) { return inside[at] == ','; });
    if (comma == std::string_view::npos) return std::nullopt;
    return std::pair{trimmed(inside.substr(0, comma)), trimmed(inside.substr(comma + 1))};
  }
  std::array<std::string_view, 2> sides;
  for (std::string_view& side : sides) {
    if (text.size() < 2 || (text[0] != '"' && text[0] != '\'')) return std::nullopt;
    const std::size_t end = text.find(text[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    side = text.substr(1, end - 1);
    text = trimmed(text.substr(end + 1));
  }
  return text.empty() ? std::optional(std::pair{sides[0], sides[1]}) : std::nullopt;
}

bool opens_conditional(std::string_view keyword) {
  constexpr std::array<std::string_view, 4> keywords = {"ifeq", "ifneq", "ifdef", "ifndef"};
  return std::ranges::find(keywords, keyword) != keywords.end();
}

}  // namespace

std::unexpected<Error> Makefile::error_at(unsigned line, std::string_view message) const {
  return fail("{}:{}: {}", path_, line, message);
}

Result<Makefile> Makefile::parse(std::string path, std::string_view text, const Variables& given) {
  Makefile makefile(std::move(path));
  for (const auto& [name, value] : given)
    makefile.variables_[name] = {{.text = value, .expanded = true}};
  if (auto done = makefile.read(text); !done) return std::unexpected(done.error());
  return makefile;
}

Result<void> Makefile::read(std::string_view text) {
  unsigned number = 0;
  while (!text.empty()) {
    const unsigned first = number + 1;
    std::string line;
    bool continues = true;
    while (continues && !text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view part = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      ++number;
      if (part.ends_with('\r')) part.remove_suffix(1);
      continues = part.ends_with('\\');
      if (continues) part.remove_suffix(1);
      line += part;
      if (continues) line += ' ';
    }
    if (auto done = read_line(line, first); !done) return done;
  }
  if (branches_.empty()) return {};
  return error_at(branches_.back().line, "this conditional has no endif");
}

Result<void> Makefile::read_line(std::string_view line, unsigned number) {
  if (in_rule_ && line.starts_with('\t')) return {};  // a recipe
  line = trimmed(without_comment(line));
  if (line.empty()) return {};
  const auto conditional = read_conditional(line, number);
  if (!conditional) return std::unexpected(conditional.error());
  if (*conditional || !active()) return {};

  auto [keyword, rest] = first_word(line);
  if (keyword == "include" || keyword == "-include" || keyword == "sinclude") {
    auto names = expand(rest, number);
    if (!names) return std::unexpected(names.error());
    includes_.push_back({.text = std::move(*names), .line = number});
    return {};
  }
  if (keyword == "export" || keyword == "override") {
    line = rest;
    if (split_line(line).kind != Split::Kind::assignment) return {};
  }
  if (keyword == "unexport" || keyword == "vpath") return {};

  const Split split = split_line(line);
  in_rule_ = split.kind == Split::Kind::rule;
  if (in_rule_) return {};
  if (split.kind == Split::Kind::neither || split.operation == "!=" || keyword == "define")
    return error_at(number, fmt::format("'{}' is not understood; {}", line, supported));
  return assign({.name = split.left, .operation = split.operation, .value = split.right}, number);
}

Result<bool> Makefile::read_conditional(std::string_view line, unsigned number) {
  const auto [keyword, rest] = first_word(line);
  Result<void> done;
  if (opens_conditional(keyword)) {
    done = open_conditional(keyword, rest, number);
  } else if (keyword == "else") {
    done = read_else(rest, number);
  } else if (keyword == "endif") {
    if (branches_.empty()) return error_at(number, "endif without ifeq, ifneq, ifdef or ifndef");
    branches_.pop_back();
  } else {
    return false;
  }
  if (!done) return std::unexpected(done.error());
  return true;
}

Result<void> Makefile::open_conditional(std::string_view keyword, std::string_view rest,
                                        unsigned number) {
  const bool parent = active();
  Branch branch{.parent = parent, .active = false, .taken = false, .line = number};
  if (parent) {
    const auto truth = holds(keyword, rest, number);
    if (!truth) return std::unexpected(truth.error());
    branch.active = *truth;
    branch.taken = *truth;
  }
  branches_.push_back(branch);
  return {};
}

Result<void> Makefile::read_else(std::string_view rest, unsigned number) {
  if (branches_.empty() || branches_.back().in_else)
    return error_at(number, "else without ifeq, ifneq, ifdef or ifndef");
  Branch& branch = branches_.back();
  branch.active = branch.parent && !branch.taken;
  branch.in_else = rest.empty();
  if (rest.empty()) return {};
  const auto [keyword, condition] = first_word(rest);
  if (!opens_conditional(keyword))
    return error_at(number, fmt::format("'else {}' is not understood; {}", rest, supported));
  if (!branch.active) return {};
  const auto truth = holds(keyword, condition, number);
  if (!truth) return std::unexpected(truth.error());
  branch.active = *truth;
  branch.taken = *truth;
  return {};
}

Result<bool> Makefile::holds(std::string_view keyword, std::string_view rest,
                             unsigned number) const {
  if (keyword == "ifdef" || keyword == "ifndef") {
    const auto name = expand(rest, number);
    if (!name) return std::unexpected(name.error());
    return variables_.contains(*name) == (keyword == "ifdef");
  }
  const auto sides = two_sides(rest);
  if (!sides)
    return error_at(number, fmt::format("expected {} (ONE,OTHER), found '{}'", keyword, rest));
  const auto one = expand(sides->first, number);
  if (!one) return std::unexpected(one.error());
  const auto other = expand(sides->second, number);
  if (!other) return std::unexpected(other.error());
  return (*one == *other) == (keyword == "ifeq");
}

Result<void> Makefile::assign(const Assignment& assignment, unsigned number) {
  const auto name = expand(assignment.name, number);
  if (!name) return std::unexpected(name.error());
  if (name->empty() || name->find_first_of(blanks) != std::string::npos)
    return error_at(number, fmt::format("'{}' cannot be a variable's name; {}", *name, supported));
  const auto old = variables_.find(*name);
  const bool known = old != variables_.end();
  if (assignment.operation == "?=" && known) return {};

  Piece piece{.text = std::string(assignment.value), .line = number};
  const bool simple = assignment.operation.ends_with(":=") ||
                      (assignment.operation == "+=" && known && old->second.front().expanded);
  if (simple) {
    auto expanded = expand(assignment.value, number);
    piece.expanded = true;
    if (expanded) piece.text = std::move(*expanded);
    if (!expanded) piece.problem = expanded.error().message;
  }
  std::vector<Piece>& pieces = variables_[*name];
  if (assignment.operation != "+=") pieces.clear();
  pieces.push_back(std::move(piece));
  return {};
}

Result<std::string> Makefile::expand(std::string_view text, unsigned line, unsigned depth) const {
  if (depth > max_depth) return error_at(line, "a variable refers to itself");
  if (++expansions_ > max_expansions) return error_at(line, "its variables never end");
  std::string result;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    result += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    if (text.starts_with("$$")) {
      result += '$';
      text.remove_prefix(2);
      continue;
    }
    if (text.size() < 2 || (text[1] != '(' && text[1] != '{'))
      return error_at(line,
                      fmt::format("'{}' is not understood here; {}", text.substr(0, 2), supported));
    const auto end = closing(text, 1);
    if (!end) return error_at(line, fmt::format("'{}' is not closed", text));
    const auto value = expand_reference(text.substr(2, *end - 2), line, depth + 1);
    if (!value) return std::unexpected(value.error());
    result += *value;
    if (result.size() > max_value) return error_at(line, "its variables never end");
    text.remove_prefix(*end + 1);
  }
  return result;
}

Result<std::string> Makefile::expand_reference(std::string_view inside, unsigned line,
                                               unsigned depth) const {
  const std::size_t odd = find_outside_references(
      inside, [&](std::size_t at) { return std::string_view(" \t:,").contains(inside[at]); });
  if (odd != std::string_view::npos)
    return error_at(line, fmt::format("$({}) is not understood: functions are not evaluated; "
                                      "write the names out",
                                      inside));
  const auto name = expand(inside, line, depth);
  if (!name) return std::unexpected(name.error());
  return value(*name, line, depth);
}

Result<std::string> Makefile::value(const std::string& name, unsigned line, unsigned depth) const {
  const auto found = variables_.find(name);
  if (found == variables_.end()) {
    if (!name.starts_with("CONFIG_")) return "";
    return error_at(line, fmt::format("{} is not set: there is no kernel configuration here; put "
                                      "'{} ?= m' before this line",
                                      name, name));
  }
  std::string result;
  for (const Piece& piece : found->second) {
    if (!piece.problem.empty()) return fail("{}", piece.problem);
    auto text = piece.expanded ? Result<std::string>(piece.text)
                               : expand(piece.text, piece.line, depth + 1);
    if (!text) return text;
    if (!result.empty()) result += ' ';
    result += *text;
  }
  return result;
}

Result<std::vector<Word>> Makefile::words(const std::string& name) const {
  std::vector<Word> words;
  const auto found = variables_.find(name);
  if (found == variables_.end()) return words;
  for (const Piece& piece : found->second) {
    if (!piece.problem.empty()) return fail("{}", piece.problem);
    const auto text =
        piece.expanded ? Result<std::string>(piece.text) : expand(piece.text, piece.line);
    if (!text) return std::unexpected(text.error());
    for (std::string_view rest = trimmed(*text); !rest.empty();) {
      const std::size_t end = std::min(rest.find_first_of(blanks), rest.size());
      words.push_back({.text = std::string(rest.substr(0, end)), .line = piece.line});
      rest = trimmed(rest.substr(end));
    }
  }
  return words;
}

std::vector<Word> Makefile::assigned() const {
  std::vector<Word> names;
  for (const auto& [name, pieces] : variables_)
    if (pieces.front().line != 0) names.push_back({.text = name, .line = pieces.front().line});
  return names;
}

}  // namespace pkvmemu::build
