// SPDX-License-Identifier: GPL-2.0-only
// Running the compiler, linker and objcopy: programs found on PATH, no shell between, output of
// both streams in one string, and an environment that cannot change what they produce.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/result.h"

namespace pkvmemu::build {

struct ProcessResult {
  int exit_code = 0;   ///< 128 + signal number when a signal ended it
  std::string output;  ///< stdout and stderr as they came
};

using Arguments = std::vector<std::string>;

/// Runs `arguments[0]` with its arguments in `directory` and waits for its end. An error means that
/// it could not be started; a failing program is a result.
Result<ProcessResult> run_process(const Arguments& arguments,
                                  const std::filesystem::path& directory);

/// Ends the program that runs, if any, and starts none from now on: for a signal's handler.
void stop_processes();

}  // namespace pkvmemu::build
