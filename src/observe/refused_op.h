// SPDX-License-Identifier: GPL-2.0-only
// Ops that refused something, in words: what was asked, where, and what its author can do.
#pragma once

#include <string>
#include <string_view>

#include "observe/report.h"

namespace pkvmemu::observe {

/// "op register_psci_notifier(hear [mine]) in mine_hyp_init+0x24 [mine] answered -16 (EBUSY): ..."
std::string line_of(const RefusedOp& op);

/// What to do about it; empty where nothing general can be said.
std::string_view advice_for(const RefusedOp& op);

}  // namespace pkvmemu::observe
