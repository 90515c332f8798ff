// SPDX-License-Identifier: GPL-2.0-only
// The command lines of a module build. They are those of an Android kernel build as far as the
// form of the result depends on them (pkvm-abi.md 1.8, 2.1).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "build/kmi.h"
#include "build/process.h"

namespace pkvmemu::build {

enum class Level : std::uint8_t { el1, el2 };

struct CompileCommand {
  Level level = Level::el1;
  Cfi cfi = Cfi::off;
  std::string_view module_name;
  std::vector<std::filesystem::path> include_directories;  ///< searched in this order
  std::vector<std::filesystem::path> quote_directories;    ///< before those, for #include "..."
  std::vector<std::string> options;                        ///< the author's own, last
  std::filesystem::path source;
  std::filesystem::path object;
};

Arguments compile_arguments(const CompileCommand& command);

/// Partial link; `script` may be empty.
Arguments link_arguments(const std::vector<std::filesystem::path>& objects,
                         const std::filesystem::path& script, const std::filesystem::path& output);

Arguments prefix_arguments(std::string_view prefix, const std::filesystem::path& object);

}  // namespace pkvmemu::build
