// SPDX-License-Identifier: GPL-2.0-only
// The log of ops (docs/cli.md, --log-ops). With HypBootInfo::log_ops set, modules get tables of
// stubs in place of the ops themselves; each reports the op, calls it, and reports its answer.
// Without it nothing of this runs.
#pragma once

#include <cstdint>

namespace pkvmemu::hyp {

/// Modules get the tables that report.
bool logs_ops();

/// Where the op that runs was called from, when it was called through a stub.
std::uint64_t logged_caller();

}  // namespace pkvmemu::hyp

// Called by the stubs (op_stub.S): `row` is a pkvm::OpId, `x` the eight argument registers.
extern "C" void hyp_op_begin(std::uint64_t row, const std::uint64_t* x, std::uint64_t caller);
extern "C" void hyp_op_end(std::uint64_t row, std::uint64_t result);
