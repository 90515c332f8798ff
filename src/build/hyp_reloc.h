// SPDX-License-Identifier: GPL-2.0-only
// The EL2 relocation table (pkvm-abi.md 2.5): EL2 sees a module at another address than the kernel
// that links it, so the kernel has to know every word that holds an absolute address. This makes
// the assembler source of that table from the linked EL2 object, and refuses relocations that no
// table can express.
#pragma once

#include <string>

#include "build/object_file.h"
#include "support/result.h"

namespace pkvmemu::build {

/// Assembler text with one self-relative word for each absolute pointer in a .hyp section.
Result<std::string> hyp_reloc_source(const ObjectFile& el2);

}  // namespace pkvmemu::build
