// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/arguments.h"

#include "host/module/module.h"
#include "image/text.h"

namespace pkvmemu::kmod {
namespace {

using image::head;
using image::tail;

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Without the quotes around it; one that nothing closes ends with the text.
std::string_view unquoted(std::string_view text) {
  if (!text.starts_with('"')) return text;
  text = tail(text, 1);
  return text.ends_with('"') ? head(text, text.size() - 1) : text;
}

}  // namespace

std::optional<Argument> take_argument(std::string_view& rest) {
  while (!rest.empty() && is_blank(rest.front()))
    rest = tail(rest, 1);
  if (rest.empty()) return std::nullopt;
  std::size_t size = 0;
  bool quoted = false;
  for (; size < rest.size() && (quoted || !is_blank(rest[size])); ++size)
    if (rest[size] == '"') quoted = !quoted;
  Argument argument;
  argument.word = head(rest, size);
  rest = tail(rest, size);
  const std::string_view text = unquoted(argument.word);
  const std::size_t equals = text.find('=');
  argument.name = head(text, equals);
  if (equals != std::string_view::npos) argument.value = unquoted(tail(text, equals + 1));
  return argument;
}

bool same_parameter_name(std::string_view a, std::string_view b) {
  return same_module_name(a, b);  // the same rule
}

}  // namespace pkvmemu::kmod
