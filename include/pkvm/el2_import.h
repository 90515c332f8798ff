// SPDX-License-Identifier: GPL-2.0-only
// Which kernels let the EL2 half of a module call that of another (pkvm-abi.md 2.7, 10). Linker,
// builder and inspect agree on it by this row.
#pragma once

#include <array>
#include <cstddef>

#include "pkvm/generation.h"

namespace pkvm {

constexpr bool has_el2_imports(Generation generation) {
  constexpr std::array<bool, generation_count> rows = {false, false, true};
  return rows[static_cast<std::size_t>(generation)];
}

}  // namespace pkvm
