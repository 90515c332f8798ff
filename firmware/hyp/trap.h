// SPDX-License-Identifier: GPL-2.0-only
// Synchronous exceptions of the host (pkvm-abi.md 8.2), called by the vectors.
#pragma once

#include "hyp/abi_types.h"

extern "C" void hyp_handle_trap(user_pt_regs* regs);
