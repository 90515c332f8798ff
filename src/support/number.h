// SPDX-License-Identifier: GPL-2.0-only
// Numbers as people write them.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pkvmemu {

/// All of the text, in a base; no sign.
inline std::optional<std::uint64_t> digits_in(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

inline std::optional<std::uint64_t> hexadecimal_in(std::string_view text) {
  constexpr int sixteen = 16;
  return digits_in(text, sixteen);
}

/// "17" or "0x11".
inline std::optional<std::uint64_t> number_in(std::string_view text) {
  constexpr int ten = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) return hexadecimal_in(text.substr(2));
  return digits_in(text, ten);
}

}  // namespace pkvmemu
