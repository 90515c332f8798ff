// SPDX-License-Identifier: GPL-2.0-only
// The one bounds-checked way into a file's bytes: every reader of this folder takes numbers, ranges
// and strings from here and nowhere else. Nothing is assumed about alignment. Freestanding.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "image/error.h"

namespace pkvmemu::image {

static_assert(std::endian::native == std::endian::little, "all our machines are little-endian");

/// A view of bytes that cannot be read past its end.
class Stream {
 public:
  constexpr Stream() = default;
  constexpr explicit Stream(ByteView view) : view_(view) {}

  [[nodiscard]] constexpr std::uint64_t size() const { return view_.size(); }
  [[nodiscard]] constexpr ByteView view() const { return view_; }

  [[nodiscard]] constexpr bool contains(std::uint64_t offset, std::uint64_t length) const {
    return offset <= view_.size() && length <= view_.size() - offset;
  }

  [[nodiscard]] constexpr Expected<ByteView> range(std::uint64_t offset,
                                                   std::uint64_t length) const {
    if (!contains(offset, length)) return short_of(offset, length);
    return view_.subspan(offset, length);
  }

  /// A little-endian number.
  template <std::unsigned_integral T>
  [[nodiscard]] Expected<T> le(std::uint64_t offset) const {
    if (!contains(offset, sizeof(T))) return short_of(offset, sizeof(T));
    T value;
    __builtin_memcpy(&value, view_.data() + offset, sizeof(T));
    return value;
  }

  /// A big-endian number.
  template <std::unsigned_integral T>
  [[nodiscard]] Expected<T> be(std::uint64_t offset) const {
    auto value = le<T>(offset);
    if (value) *value = std::byteswap(*value);
    return value;
  }

  /// A fixed-size structure of plain little-endian fields.
  template <typename T>
  [[nodiscard]] Expected<T> structure(std::uint64_t offset) const {
    if (!contains(offset, sizeof(T))) return short_of(offset, sizeof(T));
    T value;
    __builtin_memcpy(&value, view_.data() + offset, sizeof(T));
    return value;
  }

  /// The characters before the NUL; the NUL must be inside.
  [[nodiscard]] Expected<std::string_view> string(std::uint64_t offset) const {
    if (offset >= view_.size()) return short_of(offset, 1);
    const char* first = reinterpret_cast<const char*>(view_.data()) + offset;
    const std::uint64_t room = view_.size() - offset;
    for (std::uint64_t length = 0; length < room; ++length)
      if (first[length] == '\0') return std::string_view(first, length);
    return std::unexpected(Error{.code = Code::bad_string, .offset = offset, .found = room});
  }

  /// Any `length` bytes as characters.
  [[nodiscard]] Expected<std::string_view> text(std::uint64_t offset, std::uint64_t length) const {
    if (!contains(offset, length)) return short_of(offset, length);
    return std::string_view(reinterpret_cast<const char*>(view_.data()) + offset, length);
  }

 private:
  [[nodiscard]] constexpr std::unexpected<Error> short_of(std::uint64_t offset,
                                                          std::uint64_t length) const {
    return std::unexpected(Error{.code = Code::truncated,
                                 .offset = offset,
                                 .expected = length,
                                 .found = offset < view_.size() ? view_.size() - offset : 0});
  }

  ByteView view_;
};

}  // namespace pkvmemu::image
