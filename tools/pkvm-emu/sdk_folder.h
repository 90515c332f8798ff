// SPDX-License-Identifier: GPL-2.0-only
// Where the SDK is: beside the program, in share/pkvm-emu/sdk. Installed trees and the build tree
// have the same shape, so a moved prefix works, too.
#pragma once

#include <filesystem>

#include "support/result.h"

namespace pkvmemu::tool {

Result<std::filesystem::path> find_sdk();

}  // namespace pkvmemu::tool
