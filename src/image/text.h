// SPDX-License-Identifier: GPL-2.0-only
// Strings without a heap. Cutting: std::string_view::substr would drag an exception thrower into
// freestanding code; positions beyond the end mean the end. Writing: into a fixed buffer; what does
// not fit is dropped. Freestanding.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pkvmemu::image {

/// The first `count` characters.
constexpr std::string_view head(std::string_view text, std::size_t count) {
  return {text.begin(), text.begin() + std::min(count, text.size())};
}

/// What follows the first `count` characters.
constexpr std::string_view tail(std::string_view text, std::size_t count) {
  const std::size_t from = std::min(count, text.size());
  return {text.data() + from, text.size() - from};
}

class TextWriter {
 public:
  constexpr explicit TextWriter(std::span<char> buffer) : buffer_(buffer) {}

  constexpr void put(char c) {
    if (used_ < buffer_.size()) buffer_[used_++] = c;
  }
  constexpr void put(std::string_view text) {
    for (const char c : text)
      put(c);
  }
  constexpr void put_decimal(std::uint64_t value) { put_digits(value, 10); }
  constexpr void put_signed(std::int64_t value) {
    if (value < 0) put('-');
    const auto bits = static_cast<std::uint64_t>(value);
    put_digits(value < 0 ? 0 - bits : bits, 10);
  }
  constexpr void put_hex(std::uint64_t value) {
    put("0x");
    put_digits(value, 16);
  }
  [[nodiscard]] constexpr std::string_view written() const { return {buffer_.data(), used_}; }

 private:
  constexpr void put_digits(std::uint64_t value, unsigned base) {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    do {
      digits[count++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    while (count != 0)
      put(digits[--count]);
  }

  std::span<char> buffer_;
  std::size_t used_ = 0;
};

/// A line with its own storage: Line<128> line; line.put("..."); line.written().
template <std::size_t Size>
class Line : public TextWriter {
 public:
  constexpr Line() : TextWriter(storage_) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

 private:
  std::array<char, Size> storage_{};
};

}  // namespace pkvmemu::image
