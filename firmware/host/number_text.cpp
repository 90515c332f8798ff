// SPDX-License-Identifier: GPL-2.0-only
#include "host/number_text.h"

#include <optional>

#include "support/bits.h"

namespace pkvmemu::host {

namespace {

using pkvm::Errno;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The value of a digit; the base itself for what is none.
unsigned digit_value(char c, unsigned base) {
  c = lower(c);
  unsigned value = base;
  if (c >= '0' && c <= '9') value = static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') value = static_cast<unsigned>(c - 'a') + 10;
  return value < base ? value : base;
}

/// Takes "0x" or, for base 0, decides on a base by what the text starts with.
unsigned take_base(std::string_view& text, unsigned base) {
  const bool zero = text.size() > 1 && text[0] == '0';
  const bool hexadecimal =
      zero && lower(text[1]) == 'x' && text.size() > 2 && digit_value(text[2], 16) != 16;
  if (base == 0 && hexadecimal) base = 16;
  if (base == 0) base = zero ? 8 : 10;
  if (base == 16 && hexadecimal) text.remove_prefix(2);
  return base;
}

std::expected<std::uint64_t, Errno> parse_magnitude(std::string_view text, unsigned base) {
  base = take_base(text, base);
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return std::unexpected(Errno::einval);
  std::uint64_t value = 0;
  bool overflow = false;
  for (const char c : text) {
    const unsigned digit = digit_value(c, base);
    if (digit == base) return std::unexpected(Errno::einval);
    overflow |= __builtin_mul_overflow(value, std::uint64_t{base}, &value);
    overflow |= __builtin_add_overflow(value, std::uint64_t{digit}, &value);
  }
  if (overflow) return std::unexpected(Errno::erange);
  return value;
}

}  // namespace

std::expected<std::uint64_t, Errno> parse_integer(std::string_view text, IntegerType type,
                                                  unsigned base) {
  const bool negative = type.is_signed && text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto magnitude = parse_magnitude(text, base);
  if (!magnitude) return magnitude;
  const std::uint64_t largest =
      type.is_signed ? low_mask(type.bits - 1) + (negative ? 1 : 0) : low_mask(type.bits);
  if (*magnitude > largest) return std::unexpected(Errno::erange);
  return negative ? 0 - *magnitude : *magnitude;
}

std::expected<bool, Errno> parse_switch(std::string_view text) {
  if (text.empty()) return std::unexpected(Errno::einval);
  switch (lower(text[0])) {
    case 'y':
    case 't':
    case '1':
      return true;
    case 'n':
    case 'f':
    case '0':
      return false;
    case 'o':
      if (text.size() > 1 && lower(text[1]) == 'n') return true;
      if (text.size() > 1 && lower(text[1]) == 'f') return false;
      break;
    default:
      break;
  }
  return std::unexpected(Errno::einval);
}

}  // namespace pkvmemu::host
