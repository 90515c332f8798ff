// SPDX-License-Identifier: GPL-2.0-only
// String functions for modules beyond those of exported_library.cpp, and text to number.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/number_text.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "pkvm/errno.h"

namespace fw = pkvmemu::fw;
namespace host = pkvmemu::host;

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_one_of(char c, const char* set) {
  return c != '\0' && fw::find_first(set, c) != nullptr;
}

constexpr unsigned octal = 8;
constexpr unsigned decimal = 10;
constexpr unsigned hexadecimal = 16;

/// 16 for what is none.
unsigned digit_of(char c) {
  c = lower(c);
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + decimal;
  return hexadecimal;
}

template <typename T>
int to_integer(const char* text, unsigned base, T* result) {
  constexpr bool is_signed = static_cast<T>(-1) < static_cast<T>(0);
  const auto value =
      host::parse_integer(text, {.bits = 8 * sizeof(T), .is_signed = is_signed}, base);
  if (!value) return pkvm::negated(value.error());
  *result = static_cast<T>(*value);
  return 0;
}

}  // namespace

extern "C" {

int export_strncasecmp(const char* a, const char* b, std::size_t limit) {
  for (std::size_t i = 0; i < limit; ++i) {
    const int difference = lower(a[i]) - lower(b[i]);
    if (difference != 0 || a[i] == '\0') return difference;
  }
  return 0;
}

int export_strcasecmp(const char* a, const char* b) {
  return export_strncasecmp(a, b, ~std::size_t{0});
}

char* export_strncat(char* to, const char* from, std::size_t limit) {
  char* end = to + fw::string_length(to);
  const std::size_t size = fw::string_length(from, limit);
  fw::copy_bytes(end, from, size);
  end[size] = '\0';
  return to;
}

char* export_strcat(char* to, const char* from) {
  return export_strncat(to, from, ~std::size_t{0});
}

std::size_t export_strlcat(char* to, const char* from, std::size_t room) {
  const std::size_t used = fw::string_length(to, room);
  const std::size_t size = fw::string_length(from);
  if (used < room) fw::copy_string({to + used, room - used}, {from, size});
  return used + size;
}

std::size_t export_strspn(const char* text, const char* accepted) {
  std::size_t size = 0;
  while (is_one_of(text[size], accepted))
    ++size;
  return size;
}

std::size_t export_strcspn(const char* text, const char* refused) {
  std::size_t size = 0;
  while (text[size] != '\0' && !is_one_of(text[size], refused))
    ++size;
  return size;
}

char* export_strpbrk(const char* text, const char* wanted) {
  const char* found = text + export_strcspn(text, wanted);
  return *found == '\0' ? nullptr : const_cast<char*>(found);
}

char* export_strsep(char** rest, const char* separators) {
  char* const first = *rest;
  if (first == nullptr) return nullptr;
  char* const end = export_strpbrk(first, separators);
  if (end != nullptr) *end = '\0';
  *rest = end == nullptr ? nullptr : end + 1;
  return first;
}

char* export_strnchr(const char* text, std::size_t limit, int wanted) {
  for (std::size_t i = 0; i < limit; ++i) {
    if (text[i] == static_cast<char>(wanted)) return const_cast<char*>(text + i);
    if (text[i] == '\0') break;
  }
  return nullptr;
}

char* export_strnstr(const char* text, const char* wanted, std::size_t limit) {
  const std::size_t size = fw::string_length(wanted);
  for (; limit >= size; --limit, ++text)
    if (fw::compare_bytes(text, wanted, size) == 0) return const_cast<char*>(text);
  return nullptr;
}

char* export_skip_spaces(const char* text) {
  while (is_space(*text))
    ++text;
  return const_cast<char*>(text);
}

char* export_strim(char* text) {
  std::size_t size = fw::string_length(text);
  while (size != 0 && is_space(text[size - 1]))
    --size;
  text[size] = '\0';
  return export_skip_spaces(text);
}

void* export_memchr_inv(const void* from, int expected, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < size; ++i)
    if (bytes[i] != static_cast<unsigned char>(expected))
      return const_cast<unsigned char*>(bytes + i);
  return nullptr;
}

int export_kstrtoull(const char* text, unsigned base, unsigned long long* result) {
  return to_integer(text, base, result);
}
int export_kstrtoll(const char* text, unsigned base, long long* result) {
  return to_integer(text, base, result);
}
int export_kstrtouint(const char* text, unsigned base, unsigned* result) {
  return to_integer(text, base, result);
}
int export_kstrtoint(const char* text, unsigned base, int* result) {
  return to_integer(text, base, result);
}
int export_kstrtou16(const char* text, unsigned base, std::uint16_t* result) {
  return to_integer(text, base, result);
}
int export_kstrtos16(const char* text, unsigned base, std::int16_t* result) {
  return to_integer(text, base, result);
}
int export_kstrtou8(const char* text, unsigned base, std::uint8_t* result) {
  return to_integer(text, base, result);
}
int export_kstrtos8(const char* text, unsigned base, std::int8_t* result) {
  return to_integer(text, base, result);
}

/// As far as there are digits, whatever is behind them; the value goes round when it is too large.
unsigned long long export_simple_strtoull(const char* text, char** end, unsigned base) {
  const bool zero = text[0] == '0';
  const bool prefix = zero && lower(text[1]) == 'x' && digit_of(text[2]) < hexadecimal;
  const unsigned without_prefix = zero ? octal : decimal;
  if (base == 0) base = prefix ? hexadecimal : without_prefix;
  if (base == hexadecimal && prefix) text += 2;
  unsigned long long value = 0;
  for (; digit_of(*text) < base; ++text)
    value = value * base + digit_of(*text);
  if (end != nullptr) *end = const_cast<char*>(text);
  return value;
}
long long export_simple_strtoll(const char* text, char** end, unsigned base) {
  if (*text != '-') return static_cast<long long>(export_simple_strtoull(text, end, base));
  return -static_cast<long long>(export_simple_strtoull(text + 1, end, base));
}

/// -1 for what is none.
int export_hex_to_bin(unsigned char c) {
  const unsigned digit = digit_of(static_cast<char>(c));
  return digit < hexadecimal ? static_cast<int>(digit) : -1;
}
int export_hex2bin(std::uint8_t* to, const char* text, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned high = digit_of(text[2 * i]);
    if (high >= hexadecimal) return pkvm::negated(pkvm::Errno::einval);
    const unsigned low = digit_of(text[2 * i + 1]);
    if (low >= hexadecimal) return pkvm::negated(pkvm::Errno::einval);
    to[i] = static_cast<std::uint8_t>(high * hexadecimal + low);
  }
  return 0;
}
/// Where the text ends; no NUL.
char* export_bin2hex(char* to, const std::uint8_t* from, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < count; ++i) {
    *to++ = digits[from[i] / hexadecimal];
    *to++ = digits[from[i] % hexadecimal];
  }
  return to;
}

/// Equal but for a newline at the end of one of them.
bool export_sysfs_streq(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  if (*a == *b) return true;
  if (*a == '\0') return b[0] == '\n' && b[1] == '\0';
  return *b == '\0' && a[0] == '\n' && a[1] == '\0';
}
/// Its place among `count` texts, or up to a null one.
int export_match_string(const char* const* texts, std::size_t count, const char* wanted) {
  for (std::size_t i = 0; i < count && texts[i] != nullptr; ++i)
    if (fw::compare_strings(texts[i], wanted) == 0) return static_cast<int>(i);
  return pkvm::negated(pkvm::Errno::einval);
}

int export_kstrtobool(const char* text, bool* result) {
  if (text == nullptr) return pkvm::negated(pkvm::Errno::einval);
  const auto value = host::parse_switch(text);
  if (!value) return pkvm::negated(value.error());
  *result = *value;
  return 0;
}
}
