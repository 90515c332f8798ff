// SPDX-License-Identifier: GPL-2.0-only
#include "lib/string.h"

#include <limits>

#include "lib/memory.h"

namespace pkvmemu::fw {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

std::optional<unsigned> digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

}  // namespace

std::size_t string_length(const char* text) {
  return string_length(text, no_limit);
}

std::size_t string_length(const char* text, std::size_t limit) {
  std::size_t length = 0;
  while (length < limit && text[length] != '\0')
    ++length;
  return length;
}

int compare_strings(const char* a, const char* b) {
  return compare_strings(a, b, no_limit);
}

int compare_strings(const char* a, const char* b, std::size_t limit) {
  for (std::size_t i = 0; i < limit; ++i) {
    const auto left = static_cast<unsigned char>(a[i]);
    const auto right = static_cast<unsigned char>(b[i]);
    if (left != right) return left < right ? -1 : 1;
    if (left == 0) break;
  }
  return 0;
}

const char* find_first(const char* text, char wanted) {
  for (;; ++text) {
    if (*text == wanted) return text;
    if (*text == '\0') return nullptr;
  }
}

const char* find_last(const char* text, char wanted) {
  const char* found = nullptr;
  for (;; ++text) {
    if (*text == wanted) found = text;
    if (*text == '\0') return found;
  }
}

bool copy_string(std::span<char> to, std::string_view from) {
  if (to.empty()) return false;
  const std::size_t size = from.size() < to.size() ? from.size() : to.size() - 1;
  copy_bytes(to.data(), from.data(), size);
  to[size] = '\0';
  return size == from.size();
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const unsigned base = hexadecimal ? 16 : 10;
  if (hexadecimal) text.remove_prefix(2);
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = digit_value(c);
    if (!digit || *digit >= base) return std::nullopt;
    if (value > (std::numeric_limits<std::uint64_t>::max() - *digit) / base) return std::nullopt;
    value = value * base + *digit;
  }
  return value;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

std::string_view take_word(std::string_view& rest) {
  const std::size_t begin = rest.find_first_not_of(blanks);
  rest.remove_prefix(begin == std::string_view::npos ? rest.size() : begin);
  const std::size_t end = rest.find_first_of(blanks);
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(word.size());
  return word;
}

}  // namespace pkvmemu::fw
