// SPDX-License-Identifier: GPL-2.0-only
// A module's folder as Android's documentation lays it out, read without a kernel tree (docs/
// building.md): Makefile (or Kbuild) with obj-m and X-y, hyp/Makefile with hyp-obj-y, ccflags-y in
// both. Errors name file and line and say what to write instead.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "build/module_builder.h"
#include "pkvm/generation.h"
#include "support/result.h"

namespace pkvmemu::build {

struct FolderRequest {
  std::filesystem::path folder;
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  /// Which one, when the Makefile lists several modules.
  std::optional<std::string> name = {};
};

/// Name, sources and flags; the SDK is for the caller to add.
Result<ModuleSpec> read_module_folder(const FolderRequest& request);

/// The kernel's name for a module: "my-driver" -> "my_driver".
std::string kernel_module_name(std::string_view name);

}  // namespace pkvmemu::build
