// SPDX-License-Identifier: GPL-2.0-only
// Modules that stand in a scenario as a few lines of assembly or C: made into real .ko files by
// what `pkvm-emu build` uses. Assembly needs no compiler, only the linker.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "failure.h"
#include "pkvm/generation.h"
#include "scenario/scenario.h"

namespace pkvmemu::tool {

struct InlineRequest {
  const scenario::Module* module = nullptr;
  std::string_view scenario_file;  ///< for messages
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  std::filesystem::path folder;  ///< an existing one, for sources and the module
};

/// The path of the module.
Outcome<std::string> build_inline(const InlineRequest& request);

}  // namespace pkvmemu::tool
