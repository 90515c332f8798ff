// SPDX-License-Identifier: GPL-2.0-only
// Errors that input can cause (host side). The message is written for the person who gave the
// input: which file, where, what was expected, what to do. Our own bugs are assertions, not errors.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <utility>

namespace pkvmemu {

struct Error {
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

/// return fail("{}: not an ELF file", path);
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail(fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace pkvmemu
