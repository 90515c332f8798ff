// SPDX-License-Identifier: GPL-2.0-only
// Cutting strings without std::string_view::substr, which drags an exception thrower into
// freestanding code. Positions beyond the end mean the end. Freestanding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace pkvmemu::image {

/// The first `count` characters.
constexpr std::string_view head(std::string_view text, std::size_t count) {
  return {text.data(), std::min(count, text.size())};
}

/// What follows the first `count` characters.
constexpr std::string_view tail(std::string_view text, std::size_t count) {
  const std::size_t from = std::min(count, text.size());
  return {text.data() + from, text.size() - from};
}

}  // namespace pkvmemu::image
