// SPDX-License-Identifier: GPL-2.0-only
// The tables of function pointers that modules get (pkvm-abi.md 1): one for each generation and
// each way a module's kCFI hashes can have been made, since one word before each function cannot
// be both.
#pragma once

#include <span>

#include "hyp/abi_types.h"
#include "hyp/cfi.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

using OpsTable = std::span<const void* const>;

/// ops_thunks.cpp, compiled once with each flavour.
namespace plain {
OpsTable ops_table(pkvm::Generation generation);
}
namespace normalized {
OpsTable ops_table(pkvm::Generation generation);
}

/// Modules without hashes get the plain table.
inline OpsTable ops_table(pkvm::Generation generation, CfiFlavour flavour) {
  return flavour == CfiFlavour::normalized ? normalized::ops_table(generation)
                                           : plain::ops_table(generation);
}

inline const pkvm_module_ops* module_ops(pkvm::Generation generation, CfiFlavour flavour) {
  return reinterpret_cast<const pkvm_module_ops*>(ops_table(generation, flavour).data());
}

}  // namespace pkvmemu::hyp
