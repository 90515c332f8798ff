// SPDX-License-Identifier: GPL-2.0-only
#include "host/scan.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "lib/string.h"

namespace pkvmemu::host {

namespace {

constexpr std::size_t no_width = std::numeric_limits<std::int16_t>::max();

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
/// The value of a digit, 36 for what is none.
unsigned digit_value(char c) {
  constexpr unsigned none = 36;
  constexpr unsigned first_letter = 10;
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + first_letter;
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A') + first_letter;
  return none;
}

/// What stands between '%' and the next conversion.
struct Field {
  bool stored = true;
  std::optional<std::size_t> width;
  std::size_t bytes = sizeof(int);
  char kind = '\0';
  std::string_view set;  ///< of "%[...]", without '^'
  bool set_excludes = false;
};

/// Takes what it reads off the front.
class FormatReader {
 public:
  explicit FormatReader(std::string_view format) : rest_(format) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  void drop() { rest_.remove_prefix(1); }

  Field take_field() {
    Field field;
    if (take('*')) field.stored = false;
    while (is_digit(peek())) {
      constexpr std::size_t ten = 10;
      field.width = field.width.value_or(0) * ten + digit_value(peek());
      drop();
    }
    field.bytes = take_length();
    field.kind = peek();
    if (!rest_.empty()) drop();
    if (field.kind == '[') take_set(field);
    return field;
  }

 private:
  bool take(char wanted) {
    if (peek() != wanted) return false;
    drop();
    return true;
  }
  std::size_t take_length() {
    if (take('h')) return take('h') ? sizeof(char) : sizeof(short);
    if (take('l')) {
      take('l');
      return sizeof(long);
    }
    if (take('L') || take('z')) return sizeof(long);
    return sizeof(int);
  }
  /// A ']' that comes first belongs to it.
  void take_set(Field& field) {
    field.set_excludes = take('^');
    const std::size_t end = rest_.find(']', 1);
    field.set = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  }

  std::string_view rest_;
};

bool is_in_set(const Field& field, char c) {
  const std::string_view set = field.set;
  bool found = false;
  for (std::size_t i = 0; i < set.size() && !found; ++i) {
    const bool is_range = i + 2 < set.size() && set[i + 1] == '-';
    found = is_range ? c >= set[i] && c <= set[i + 2] : c == set[i];
    if (is_range) i += 2;
  }
  return found != field.set_excludes;
}

struct Number {
  std::uint64_t value;
  std::size_t size;
};

unsigned base_of(char kind) {
  switch (kind) {
    case 'x':
    case 'X':
      return 16;
    case 'o':
      return 8;
    case 'i':
      return 0;
    default:
      return 10;
  }
}

std::optional<Number> number_at(std::string_view text, const Field& field) {
  constexpr unsigned hexadecimal = 16;
  text = text.substr(0, field.width.value_or(no_width));
  std::size_t at = 0;
  const bool negative =
      (field.kind == 'd' || field.kind == 'i') && !text.empty() && text.front() == '-';
  if (negative) ++at;
  const auto digit = [&](std::size_t i) {
    return i < text.size() ? digit_value(text[i]) : digit_value('\0');
  };
  unsigned base = base_of(field.kind);
  const bool zero = digit(at) == 0;
  const bool prefix = zero && at + 1 < text.size() &&
                      (text[at + 1] == 'x' || text[at + 1] == 'X') && digit(at + 2) < hexadecimal;
  const unsigned without_prefix = zero ? 8 : 10;
  if (base == 0) base = prefix ? hexadecimal : without_prefix;
  if (base == hexadecimal && prefix) at += 2;
  const std::size_t first = at;
  std::uint64_t value = 0;
  for (; digit(at) < base; ++at)
    value = value * base + digit(at);
  if (at == first) return std::nullopt;
  return Number{.value = negative ? 0 - value : value, .size = at};
}

template <typename T>
void store_as(void* place, std::uint64_t value) {
  *static_cast<T*>(place) = static_cast<T>(value);
}
void store(void* place, std::size_t bytes, std::uint64_t value) {
  switch (bytes) {
    case sizeof(std::uint8_t):
      return store_as<std::uint8_t>(place, value);
    case sizeof(std::uint16_t):
      return store_as<std::uint16_t>(place, value);
    case sizeof(std::uint32_t):
      return store_as<std::uint32_t>(place, value);
    default:
      return store_as<std::uint64_t>(place, value);
  }
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : all_(text), rest_(text) {}

  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front()))
      rest_.remove_prefix(1);
  }
  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t taken() const { return all_.size() - rest_.size(); }

  /// How much of the text is a field's that takes characters.
  [[nodiscard]] std::size_t size_of(const Field& field) const {
    const std::size_t most = field.width.value_or(field.kind == 'c' ? 1 : no_width);
    std::size_t size = 0;
    while (size < most && size < rest_.size() && belongs(field, rest_[size]))
      ++size;
    return size;
  }
  std::string_view take_first(std::size_t size) {
    const std::string_view first = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return first;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  static bool belongs(const Field& field, char c) {
    if (field.kind == 'c') return true;
    return field.kind == 's' ? !is_space(c) : is_in_set(field, c);
  }

  std::string_view all_;
  std::string_view rest_;
};

/// False when the text does not have it. `place` is null for a field that is left out.
bool scan_characters(Scanner& scanner, const Field& field, char* place) {
  if (field.kind == 's') scanner.skip_spaces();
  const std::size_t size = scanner.size_of(field);
  if (size == 0) return false;
  const std::string_view found = scanner.take_first(size);
  if (place == nullptr) return true;
  for (std::size_t i = 0; i < size; ++i)
    place[i] = found[i];
  if (field.kind != 'c') place[size] = '\0';
  return true;
}
bool scan_number(Scanner& scanner, const Field& field, void* place) {
  scanner.skip_spaces();
  const auto number = number_at(scanner.rest(), field);
  if (!number) return false;
  scanner.take_first(number->size);
  if (place != nullptr) store(place, field.bytes, number->value);
  return true;
}

bool is_known(char kind) {
  return kind != '\0' && fw::find_first("diuxXocs[n%", kind) != nullptr;
}

}  // namespace

int scan_text(const char* text, const char* format, va_list arguments) {
  Scanner scanner({text, fw::string_length(text)});
  FormatReader reader({format, fw::string_length(format)});
  int stored = 0;
  while (!reader.at_end()) {
    const char next = reader.peek();
    reader.drop();
    if (is_space(next)) {
      scanner.skip_spaces();
      continue;
    }
    if (next != '%') {
      if (!scanner.take(next)) return stored;
      continue;
    }
    const Field field = reader.take_field();
    if (!is_known(field.kind)) return stored;
    if (field.kind == '%') {
      if (!scanner.take('%')) return stored;
      continue;
    }
    void* const place = field.stored ? va_arg(arguments, void*) : nullptr;
    if (field.kind == 'n') {
      if (place != nullptr) store(place, field.bytes, scanner.taken());
      continue;
    }
    if (scanner.at_end()) return stored;
    const bool is_text = field.kind == 'c' || field.kind == 's' || field.kind == '[';
    const bool found = is_text ? scan_characters(scanner, field, static_cast<char*>(place))
                               : scan_number(scanner, field, place);
    if (!found) return stored;
    if (field.stored) ++stored;
  }
  return stored;
}

}  // namespace pkvmemu::host
