// SPDX-License-Identifier: GPL-2.0-only
// Why a command cannot start: the sentence for the user and the exit code that goes with it.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <utility>

#include "observe/exit_code.h"
#include "support/result.h"

namespace pkvmemu::tool {

struct Failure {
  observe::ExitCode code = observe::ExitCode::usage;
  std::string message;
};

template <typename T>
using Outcome = std::expected<T, Failure>;

template <typename... Args>
[[nodiscard]] std::unexpected<Failure> usage_error(fmt::format_string<Args...> format,
                                                   Args&&... args) {
  return std::unexpected(
      Failure{observe::ExitCode::usage, fmt::format(format, std::forward<Args>(args)...)});
}

template <typename... Args>
[[nodiscard]] std::unexpected<Failure> file_error(fmt::format_string<Args...> format,
                                                  Args&&... args) {
  return std::unexpected(
      Failure{observe::ExitCode::bad_file, fmt::format(format, std::forward<Args>(args)...)});
}

/// An Error of a lower layer as that of a file or of the command line.
inline std::unexpected<Failure> as_file_error(const Error& error) {
  return std::unexpected(Failure{observe::ExitCode::bad_file, error.message});
}
inline std::unexpected<Failure> as_usage_error(const Error& error) {
  return std::unexpected(Failure{observe::ExitCode::usage, error.message});
}

}  // namespace pkvmemu::tool
