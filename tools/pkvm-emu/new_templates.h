// SPDX-License-Identifier: GPL-2.0-only
// The files of a new module; every NAME in them becomes the module's name.
#pragma once

#include <array>
#include <string_view>

namespace pkvmemu::tool {

struct NewFile {
  std::string_view path;
  std::string_view text;
};

extern const std::array<NewFile, 5> new_files;

}  // namespace pkvmemu::tool
