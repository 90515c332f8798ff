// SPDX-License-Identifier: GPL-2.0-only
// GoogleTest prints a generation by its KMI name, and names tests by it.
#pragma once

#include <algorithm>
#include <ostream>
#include <string>

#include "pkvm/generation.h"

namespace pkvm {

inline void PrintTo(const GenerationInfo& row, std::ostream* out) {
  *out << row.kmi;
}

}  // namespace pkvm

namespace pkvmemu::test {

/// "android15_6_6": a generation in a test's name.
inline std::string slug_of(const pkvm::GenerationInfo& row) {
  std::string name(row.kmi);
  std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

}  // namespace pkvmemu::test
