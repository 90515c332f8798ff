// SPDX-License-Identifier: GPL-2.0-only
// Whether the files that a command is to write can be written, looked at before it does anything:
// no work is lost to a place that was wrong from the start, and no input is overwritten.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "failure.h"

namespace pkvmemu::tool {

using Paths = std::vector<std::filesystem::path>;

/// `output` is a file that can be written, and none of `inputs` by another name.
Outcome<void> check_output(const std::filesystem::path& output,
                           std::span<const std::filesystem::path> inputs);

/// Only the second half: for files that need a folder made first.
Outcome<void> check_no_input(const std::filesystem::path& output,
                             std::span<const std::filesystem::path> inputs);

}  // namespace pkvmemu::tool
