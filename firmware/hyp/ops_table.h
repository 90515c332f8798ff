// SPDX-License-Identifier: GPL-2.0-only
// The tables of function pointers that modules get (pkvm-abi.md 1): one for each generation and
// each way a module's kCFI hashes can have been made, since one word before each function cannot
// be both.
#pragma once

#include <cstdint>
#include <span>

#include "hyp/abi_types.h"
#include "hyp/cfi.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

using OpsTable = std::span<const void* const>;

/// Whether calls of the ops are reported as events (ops_log.h).
enum class OpsLog : std::uint8_t { off, on };

/// ops_thunks.cpp, compiled once with each flavour.
namespace plain {
OpsTable ops_table(pkvm::Generation generation, OpsLog log);
}
namespace normalized {
OpsTable ops_table(pkvm::Generation generation, OpsLog log);
}

/// Modules without hashes get the plain table.
inline OpsTable ops_table(pkvm::Generation generation, CfiFlavour flavour,
                          OpsLog log = OpsLog::off) {
  return flavour == CfiFlavour::normalized ? normalized::ops_table(generation, log)
                                           : plain::ops_table(generation, log);
}

inline const pkvm_module_ops* module_ops(pkvm::Generation generation, CfiFlavour flavour,
                                         OpsLog log = OpsLog::off) {
  return reinterpret_cast<const pkvm_module_ops*>(ops_table(generation, flavour, log).data());
}

}  // namespace pkvmemu::hyp
