// SPDX-License-Identifier: GPL-2.0-only
// Text in a field of fixed size, as guests and images have it.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>

namespace pkvmemu {

/// Up to the NUL, which may be missing: whoever wrote the field is not trusted.
template <std::size_t Size>
std::string fixed_text(const char (&field)[Size]) {  // NOLINT(*-avoid-c-arrays): the record's own
  return {field, ::strnlen(field, Size)};
}

}  // namespace pkvmemu
