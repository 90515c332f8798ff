// SPDX-License-Identifier: GPL-2.0-only
// Arguments as kernels write them, on the command line and for a module: words separated by blanks,
// "name" or "name=value", double quotes around a word or a value protecting its blanks. '-' and '_'
// are equal in names. Views into the text; pure.
#pragma once

#include <optional>
#include <string_view>

namespace pkvmemu::kmod {

struct Argument {
  std::string_view word;  ///< all of it, as written
  std::string_view name;
  std::optional<std::string_view> value;  ///< without quotes; nothing when there is no '='
};

/// Takes the next argument off the front; nothing at the end.
std::optional<Argument> take_argument(std::string_view& rest);

/// Equal but for '-' and '_'.
bool same_parameter_name(std::string_view a, std::string_view b);

}  // namespace pkvmemu::kmod
