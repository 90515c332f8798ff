// SPDX-License-Identifier: GPL-2.0-only
// --env: the user's own functions in place of kernel functions that we do not have. All files
// become one module, which exports everything that it defines and is loaded before the others.
#pragma once

#include <string>
#include <vector>

#include "failure.h"
#include "module_file.h"
#include "pkvm/generation.h"

namespace pkvmemu::tool {

/// As the report names it.
inline constexpr const char* env_module_name = "pkvmemu_env";

/// Each file is a relocatable AArch64 object, or a C source (*.c), which is compiled as `build`
/// does. Refused: objects for another machine, EL2 sections, definitions of what our kernel
/// exports, and imports that nobody has.
Outcome<ModuleFile> make_env_module(const std::vector<std::string>& files,
                                    pkvm::Generation generation);

}  // namespace pkvmemu::tool
