// SPDX-License-Identifier: GPL-2.0-only
// A module that was built before, as far as the one that is being built may need it: its name and
// what it exports. A kernel build finds the same out from Module.symvers.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace pkvmemu::build {

struct OtherModule {
  std::string name;
  std::vector<std::string> exports;

  [[nodiscard]] bool has(std::string_view symbol) const;
};

Result<OtherModule> read_other_module(const std::filesystem::path& file);

}  // namespace pkvmemu::build
