// SPDX-License-Identifier: GPL-2.0-only
#include "lib/format.h"

#include <array>
#include <optional>
#include <string_view>

#include "lib/string.h"
#include "pkvm/errno.h"

namespace pkvmemu::fw {

namespace {

SymbolNamer symbol_namer = nullptr;

struct Arguments {
  va_list list;
};

/// Bounded output that keeps counting when it is full.
class Output {
 public:
  explicit Output(std::span<char> buffer) : buffer_(buffer) {}
  void put(char c) {
    if (size_ + 1 < buffer_.size()) buffer_[size_] = c;
    ++size_;
  }
  void put(std::string_view text) {
    for (const char c : text)
      put(c);
  }
  void repeat(char c, std::size_t count) {
    for (; count != 0; --count)
      put(c);
  }
  std::size_t finish() {
    if (!buffer_.empty()) buffer_[size_ < buffer_.size() ? size_ : buffer_.size() - 1] = '\0';
    return size_;
  }

 private:
  std::span<char> buffer_;
  std::size_t size_ = 0;
};

enum class Length : std::uint8_t { plain, byte, half, long_, long_long };

struct Conversion {
  bool left = false, plus = false, space = false, alternate = false, zero = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  Length length = Length::plain;
};

/// A sign or base prefix, then digits.
struct Number {
  std::string_view prefix;
  std::uint64_t magnitude = 0;
  unsigned base = 10;
  bool upper = false;
};

void put_padded(Output& out, const Conversion& how, std::string_view text) {
  const std::size_t padding = how.width > text.size() ? how.width - text.size() : 0;
  if (!how.left) out.repeat(' ', padding);
  out.put(text);
  if (how.left) out.repeat(' ', padding);
}

void put_number(Output& out, const Conversion& how, const Number& number) {
  std::array<char, 24> digits{};
  std::size_t begin = digits.size();
  const char* alphabet = number.upper ? "0123456789ABCDEF" : "0123456789abcdef";
  for (std::uint64_t rest = number.magnitude; rest != 0; rest /= number.base)
    digits[--begin] = alphabet[rest % number.base];
  const std::size_t count = digits.size() - begin;
  const std::size_t wanted = how.precision.value_or(1);
  std::size_t zeros = wanted > count ? wanted - count : 0;
  std::size_t total = number.prefix.size() + zeros + count;
  if (how.zero && !how.left && !how.precision && how.width > total) {
    zeros += how.width - total;
    total = how.width;
  }
  if (number.base == 8 && how.alternate && zeros == 0) {
    ++zeros;
    ++total;
  }
  const std::size_t padding = how.width > total ? how.width - total : 0;
  if (!how.left) out.repeat(' ', padding);
  out.put(number.prefix);
  out.repeat('0', zeros);
  out.put({digits.data() + begin, count});
  if (how.left) out.repeat(' ', padding);
}

std::int64_t take_signed(Arguments& arguments, Length length) {
  switch (length) {
    case Length::byte:
      return static_cast<signed char>(va_arg(arguments.list, int));
    case Length::half:
      return static_cast<short>(va_arg(arguments.list, int));
    case Length::plain:
      return va_arg(arguments.list, int);
    case Length::long_:
      return va_arg(arguments.list, long);
    case Length::long_long:
      return va_arg(arguments.list, long long);
  }
  return 0;
}

std::uint64_t take_unsigned(Arguments& arguments, Length length) {
  switch (length) {
    case Length::byte:
      return static_cast<unsigned char>(va_arg(arguments.list, unsigned));
    case Length::half:
      return static_cast<unsigned short>(va_arg(arguments.list, unsigned));
    case Length::plain:
      return va_arg(arguments.list, unsigned);
    case Length::long_:
      return va_arg(arguments.list, unsigned long);
    case Length::long_long:
      return va_arg(arguments.list, unsigned long long);
  }
  return 0;
}

void put_signed(Output& out, const Conversion& how, Arguments& arguments) {
  const std::int64_t value = take_signed(arguments, how.length);
  Number number;
  number.magnitude = static_cast<std::uint64_t>(value);
  if (value < 0) number.magnitude = 0 - number.magnitude;
  if (value < 0)
    number.prefix = "-";
  else if (how.plus)
    number.prefix = "+";
  else if (how.space)
    number.prefix = " ";
  put_number(out, how, number);
}

void put_unsigned(Output& out, const Conversion& how, Arguments& arguments, char letter) {
  Number number;
  number.magnitude = take_unsigned(arguments, how.length);
  number.upper = letter == 'X';
  if (letter == 'o') number.base = 8;
  if (letter == 'x' || letter == 'X') number.base = 16;
  if (how.alternate && number.magnitude != 0 && number.base == 16)
    number.prefix = number.upper ? "0X" : "0x";
  put_number(out, how, number);
}

void put_raw_pointer(Output& out, Conversion how, std::uint64_t value) {
  if (how.width == 0) {
    how.width = 16;
    how.zero = true;
  }
  put_number(out, how, Number{.prefix = "", .magnitude = value, .base = 16});
}

void put_symbol(Output& out, const Conversion& how, std::uint64_t address) {
  std::array<char, 160> name{};
  const std::size_t size = symbol_namer == nullptr ? 0 : symbol_namer(address, name);
  if (size != 0) {
    put_padded(out, how, {name.data(), size});
    return;
  }
  put_number(out, how, Number{.prefix = "0x", .magnitude = address, .base = 16});
}

void put_error(Output& out, const Conversion& how, std::uint64_t value) {
  const auto number = static_cast<long>(value);
  const std::string_view name = pkvm::errno_name(number);
  if (number < 0 && !name.empty()) {
    out.put('-');
    put_padded(out, how, name);
    return;
  }
  put_raw_pointer(out, how, value);
}

/// What follows %p decides; letters that are ours are consumed.
void put_pointer(Output& out, const Conversion& how, Arguments& arguments, const char*& format) {
  const auto value = reinterpret_cast<std::uint64_t>(va_arg(arguments.list, void*));
  switch (*format) {
    case 'x':
      ++format;
      put_raw_pointer(out, how, value);
      return;
    case 'S':
    case 's':
    case 'B':
      ++format;
      put_symbol(out, how, value);
      return;
    case 'a':
      ++format;
      if (*format == 'p' || *format == 'd') ++format;
      if (value == 0) {
        put_padded(out, how, "(null)");
        return;
      }
      put_number(out, {.zero = true, .width = 18, .precision = {}},
                 Number{.prefix = "0x",
                        .magnitude = *reinterpret_cast<const std::uint64_t*>(value),
                        .base = 16});
      return;
    case 'e':
      ++format;
      put_error(out, how, value);
      return;
    case 'K':
      ++format;
      break;
    default:
      break;
  }
  put_padded(out, how, value == 0 ? "(null)" : "(____ptrval____)");
}

void put_string(Output& out, const Conversion& how, Arguments& arguments) {
  const char* text = va_arg(arguments.list, const char*);
  if (text == nullptr) text = "(null)";
  const std::size_t size =
      how.precision ? string_length(text, *how.precision) : string_length(text);
  put_padded(out, how, {text, size});
}

/// Digits, or an argument for `*`, which alone may be negative.
std::int64_t take_count(Arguments& arguments, const char*& format) {
  if (*format == '*') {
    ++format;
    return va_arg(arguments.list, int);
  }
  std::int64_t value = 0;
  for (; *format >= '0' && *format <= '9'; ++format)
    value = value * 10 + (*format - '0');
  return value;
}

Length take_length(const char*& format) {
  const std::string_view rest(format, string_length(format, 2));
  const auto take = [&format](std::size_t letters, Length length) {
    format += letters;
    return length;
  };
  if (rest == "hh") return take(2, Length::byte);
  if (rest == "ll") return take(2, Length::long_long);
  if (rest.starts_with('h')) return take(1, Length::half);
  if (rest.starts_with('l') || rest.starts_with('z') || rest.starts_with('t'))
    return take(1, Length::long_);
  if (rest.starts_with('j') || rest.starts_with('L')) return take(1, Length::long_long);
  return Length::plain;
}

Conversion take_conversion(Arguments& arguments, const char*& format) {
  Conversion how;
  for (;; ++format) {
    if (*format == '-')
      how.left = true;
    else if (*format == '+')
      how.plus = true;
    else if (*format == ' ')
      how.space = true;
    else if (*format == '#')
      how.alternate = true;
    else if (*format == '0')
      how.zero = true;
    else
      break;
  }
  const std::int64_t width = take_count(arguments, format);
  how.left = how.left || width < 0;
  how.width = static_cast<std::size_t>(width < 0 ? -width : width);
  if (*format == '.') {
    ++format;
    const std::int64_t precision = take_count(arguments, format);
    if (precision >= 0) how.precision = static_cast<std::size_t>(precision);
  }
  how.length = take_length(format);
  return how;
}

void put_conversion(Output& out, Arguments& arguments, const char*& format) {
  const char* begin = format;  // after the '%'
  const Conversion how = take_conversion(arguments, format);
  const char letter = *format;
  if (letter != '\0') ++format;
  switch (letter) {
    case 'd':
    case 'i':
      put_signed(out, how, arguments);
      return;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
      put_unsigned(out, how, arguments, letter);
      return;
    case 'c': {
      const char c = static_cast<char>(va_arg(arguments.list, int));
      put_padded(out, how, {&c, 1});
      return;
    }
    case 's':
      put_string(out, how, arguments);
      return;
    case 'p':
      put_pointer(out, how, arguments, format);
      return;
    case '%':
      out.put('%');
      return;
    default:
      out.put('%');
      out.put({begin, static_cast<std::size_t>(format - begin)});
  }
}

}  // namespace

void set_symbol_namer(SymbolNamer namer) {
  symbol_namer = namer;
}

std::size_t format_text(std::span<char> out, const char* format, va_list arguments) {
  Output output(out);
  Arguments taken{};
  va_copy(taken.list, arguments);
  while (*format != '\0') {
    if (*format != '%') {
      output.put(*format++);
      continue;
    }
    ++format;
    put_conversion(output, taken, format);
  }
  va_end(taken.list);
  return output.finish();
}

}  // namespace pkvmemu::fw
