// SPDX-License-Identifier: GPL-2.0-only
#include "harness/text_mutator.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace pkvmemu::test {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

std::size_t TextMutator::below(std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
}

TextMutator::Piece TextMutator::some_line(std::string_view text) {
  const std::size_t inside = below(text.size());
  const std::size_t before = text.rfind('\n', inside == 0 ? 0 : inside - 1);
  const std::size_t begin = before == std::string_view::npos || inside == 0 ? 0 : before + 1;
  const std::size_t end = std::min(text.find('\n', begin), text.size() - 1);
  return {.at = begin, .size = end + 1 - begin};
}

TextMutator::Piece TextMutator::some_word(std::string_view text) {
  std::size_t begin = below(text.size());
  while (begin > 0 && is_word(text[begin - 1]))
    --begin;
  std::size_t end = begin;
  while (end < text.size() && is_word(text[end]))
    ++end;
  return {.at = begin, .size = end - begin};
}

std::string TextMutator::change(std::string text) {
  constexpr std::array<std::string_view, 14> odd = {"{",  "}", "(",  ")",  "\"", "'",  ";",
                                                    "\\", "#", "$(", "\n", "\t", "/*", "\xff"};
  constexpr std::size_t kinds = 8;
  switch (below(kinds)) {
    case 0: {  // a line is lost
      const Piece line = some_line(text);
      return text.erase(line.at, line.size);
    }
    case 1: {  // a line stands twice
      const Piece line = some_line(text);
      return text.insert(line.at, text.substr(line.at, line.size));
    }
    case 2: {  // a line goes elsewhere
      const Piece line = some_line(text);
      const std::string moved = text.substr(line.at, line.size);
      text.erase(line.at, line.size);
      return text.insert(below(text.size() + 1), moved);
    }
    case 3: {  // a word in place of another
      const Piece from = some_word(text);
      const std::string word = text.substr(from.at, from.size);
      const Piece to = some_word(text);
      return text.replace(to.at, to.size, word);
    }
    case 4: {  // a word without its last letter
      const Piece word = some_word(text);
      if (word.size != 0) text.erase(word.at + word.size - 1, 1);
      return text;
    }
    case 5:
      return text.insert(below(text.size()), odd.at(below(odd.size())));
    case 6:
      text[below(text.size())] = static_cast<char>(below(256));
      return text;
    default:
      return text.substr(0, below(text.size()));
  }
}

std::string TextMutator::mutate(std::string text) {
  constexpr std::size_t most = 4;
  for (std::size_t left = 1 + below(most); left != 0 && !text.empty(); --left)
    text = change(std::move(text));
  return text;
}

}  // namespace pkvmemu::test
