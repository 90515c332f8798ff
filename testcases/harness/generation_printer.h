// SPDX-License-Identifier: GPL-2.0-only
// GoogleTest prints a generation by its KMI name.
#pragma once

#include <ostream>

#include "pkvm/generation.h"

namespace pkvm {

inline void PrintTo(const GenerationInfo& row, std::ostream* out) {
  *out << row.kmi;
}

}  // namespace pkvm
