// SPDX-License-Identifier: GPL-2.0-only
#include "host/trace_text.h"

#include <array>
#include <cstdarg>
#include <optional>

#include "lib/format.h"
#include "lib/string.h"

namespace pkvmemu::host {

namespace {

constexpr std::size_t max_arguments = 16;

/// Appends to a buffer and keeps it terminated.
class Text {
 public:
  explicit Text(std::span<char> out) : out_(out) {
    if (!out_.empty()) out_[0] = '\0';
  }
  void put(char c) {
    if (used_ + 1 >= out_.size()) return;
    out_[used_++] = c;
    out_[used_] = '\0';
  }
  void put(std::string_view text) {
    for (const char c : text)
      put(c);
  }
  void format(const char* format, ...) __attribute__((format(printf, 2, 3))) {
    std::array<char, 64> part{};
    va_list arguments;
    va_start(arguments, format);
    fw::format_text(part, format, arguments);
    va_end(arguments);
    put(std::string_view(part.data()));
  }
  [[nodiscard]] std::string_view written() const { return {out_.data(), used_}; }

 private:
  std::span<char> out_;
  std::size_t used_ = 0;
};

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

/// A conversion of integers; its length modifier is dropped, as all values are 64 bits wide.
struct Conversion {
  std::array<char, 24> spec{};
  bool known = false;
};

/// Takes one conversion off `format`, which stands behind its '%'.
Conversion take_conversion(std::string_view& format) {
  Conversion result;
  std::size_t used = 0;
  const auto add = [&](char c) {
    if (used + 4 < result.spec.size()) result.spec[used++] = c;
  };
  add('%');
  while (!format.empty() && is_one_of(format.front(), "-+ #0123456789.")) {
    add(format.front());
    format.remove_prefix(1);
  }
  while (!format.empty() && is_one_of(format.front(), "hlztjL"))
    format.remove_prefix(1);
  if (format.empty() || !is_one_of(format.front(), "diuxXop")) return result;
  const char letter = format.front();
  format.remove_prefix(1);
  add('l');
  add('l');
  add(letter == 'p' ? 'x' : letter);
  result.known = true;
  return result;
}

/// The formatted text; false when a conversion is not of ours.
bool put_formatted(Text& out, std::string_view format, std::span<const std::uint64_t> values) {
  std::size_t next = 0;
  while (!format.empty()) {
    const char c = format.front();
    format.remove_prefix(1);
    if (c == '\\' && !format.empty()) {
      out.put(format.front() == 'n' ? ' ' : format.front());
      format.remove_prefix(1);
    } else if (c == '\n') {
      out.put(' ');
    } else if (c != '%') {
      out.put(c);
    } else if (format.starts_with('%')) {
      out.put('%');
      format.remove_prefix(1);
    } else {
      const Conversion conversion = take_conversion(format);
      if (!conversion.known) return false;
      const std::uint64_t value = next < values.size() ? values[next] : 0;
      ++next;
      std::array<char, 64> part{};
      // The format is one conversion of a long long.
      const auto print = [&part](const char* spec, ...) {
        va_list arguments;
        va_start(arguments, spec);
        fw::format_text(part, spec, arguments);
        va_end(arguments);
      };
      print(conversion.spec.data(), static_cast<unsigned long long>(value));
      out.put(std::string_view(part.data()));
    }
  }
  return true;
}

void list_fields(Text& out, std::span<const TraceField> fields) {
  bool first = true;
  for (const TraceField& field : fields) {
    if (!first) out.put(' ');
    first = false;
    out.put(field.name);
    if (field.is_signed)
      out.format("=%lld", static_cast<long long>(field.value));
    else
      out.format("=0x%llx", static_cast<unsigned long long>(field.value));
  }
}

/// "REC->id", behind casts and blanks.
std::optional<std::uint64_t> value_of(std::string_view argument,
                                      std::span<const TraceField> fields) {
  argument = fw::trim(argument);
  while (argument.starts_with('(')) {
    const std::size_t close = argument.find(')');
    if (close == std::string_view::npos) return std::nullopt;
    argument = fw::trim(argument.substr(close + 1));
  }
  constexpr std::string_view record = "REC->";
  if (!argument.starts_with(record)) return std::nullopt;
  argument.remove_prefix(record.size());
  for (const TraceField& field : fields)
    if (field.name == argument) return field.value;
  return std::nullopt;
}

}  // namespace

std::string_view trace_text(std::span<char> out, std::string_view print_fmt,
                            std::span<const TraceField> fields) {
  Text text(out);
  std::size_t end = 1;
  while (end < print_fmt.size() && print_fmt[end] != '"')
    end += print_fmt[end] == '\\' ? 2 : 1;
  bool good = print_fmt.starts_with('"') && end < print_fmt.size();
  std::array<std::uint64_t, max_arguments> values{};
  std::size_t count = 0;
  std::string_view rest = good ? fw::trim(print_fmt.substr(end + 1)) : std::string_view();
  good = good && (rest.empty() || rest.front() == ',');
  if (!rest.empty()) rest.remove_prefix(1);
  while (good && !rest.empty()) {
    const auto value = value_of(fw::take_until(rest, ','), fields);
    good = value && count < values.size();
    if (good) values[count++] = *value;
  }
  if (good && put_formatted(text, print_fmt.substr(1, end - 1), std::span(values).first(count)))
    return text.written();
  Text list(out);
  list_fields(list, fields);
  return list.written();
}

std::string_view trace_printk_text(std::span<char> out, std::string_view format,
                                   std::span<const std::uint64_t> values) {
  Text text(out);
  put_formatted(text, format, values);
  return text.written();
}

}  // namespace pkvmemu::host
