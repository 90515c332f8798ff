// SPDX-License-Identifier: GPL-2.0-only
#include "unit/campaign/markup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace pkvmemu::test {
namespace {

constexpr std::array<std::string_view, 3> without_end = {"meta", "input", "br"};
constexpr std::array<std::string_view, 2> raw = {"script", "style"};
constexpr std::array<std::string_view, 5> entities = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};

bool holds(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  std::string run() {
    if (std::ranges::any_of(text_, is_control)) return "a control character";
    while (problem_.empty() && at_ < text_.size())
      text_[at_] == '<' ? tag() : character();
    if (problem_.empty() && !open_.empty())
      complain(fmt::format("<{}> is not closed", open_.back()));
    return problem_;
  }

 private:
  void complain(const std::string& what) {
    problem_ = fmt::format("{} before '{}'", what, text_.substr(at_, 60));
  }

  void character() {
    if (text_[at_] == '>') return complain("a bare >");
    if (text_[at_] == '&') entity(text_.substr(at_));
    ++at_;
  }

  void entity(std::string_view rest) {
    const bool known = std::ranges::any_of(
        entities, [rest](std::string_view name) { return rest.starts_with(name); });
    if (!known) complain("a bare &");
  }

  void tag() {
    std::size_t end = at_ + 1;
    bool quoted = false;
    for (; end < text_.size() && (quoted || text_[end] != '>'); ++end) {
      if (text_[end] == '"') quoted = !quoted;
      if (text_[end] == '<') return complain("< inside a tag");
      if (text_[end] == '&') entity(text_.substr(end));
    }
    if (end == text_.size()) return complain("a tag without end");
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    const bool closes = inside.starts_with('/');
    const std::string_view body = inside.substr(closes ? 1 : 0);
    const std::string_view name = body.substr(0, body.find_first_of(" /"));
    if (closes) {
      if (open_.empty() || open_.back() != name)
        return complain(fmt::format("</{}> closes nothing", name));
      open_.pop_back();
    } else if (!inside.starts_with('!') && !inside.starts_with('?') && !inside.ends_with('/') &&
               !holds(without_end, name)) {
      open_.push_back(name);
    }
    at_ = end + 1;
    if (!closes && holds(raw, name)) at_ = std::min(text_.find("</", at_), text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string_view> open_;
  std::string problem_;
};

}  // namespace

std::string markup_problem(std::string_view text) {
  return Checker(text).run();
}

}  // namespace pkvmemu::test
