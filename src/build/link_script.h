// SPDX-License-Identifier: GPL-2.0-only
// The two linker scripts of a module build (pkvm-abi.md 2.1, steps 2 and 5), made from the rows of
// kmi.h.
#pragma once

#include <cstdint>
#include <string>

#include "pkvm/generation.h"

namespace pkvmemu::build {

/// Renames the sections of EL2 objects to .hyp.* and puts a symbol at the start of each.
std::string el2_link_script(pkvm::Generation generation);

enum class Halves : std::uint8_t { el1_only, el1_and_el2 };

/// Lays the finished module out: gathered EL1 sections, the loader's PLT sections, and .hyp.*
/// aligned and padded to whole pages (empty ones stay empty).
std::string module_link_script(pkvm::Generation generation, Halves halves);

}  // namespace pkvmemu::build
