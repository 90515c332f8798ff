// SPDX-License-Identifier: GPL-2.0-only
// Failures of the tool's parts as the exceptions of the C++ interface.
#pragma once

#include <utility>

#include "failure.h"
#include "observe/exit_code.h"
#include "pkvmemu/error.h"
#include "support/result.h"

namespace pkvmemu::api {

template <typename T>
T value_or_throw(tool::Outcome<T> outcome) {
  if (outcome) return std::move(*outcome);
  if (outcome.error().code == observe::ExitCode::bad_file) throw FileError(outcome.error().message);
  throw UsageError(outcome.error().message);
}

/// Of what the test wrote itself.
template <typename T>
T value_or_throw(Result<T> result) {
  if (result) return std::move(*result);
  throw UsageError(result.error().message);
}

}  // namespace pkvmemu::api
