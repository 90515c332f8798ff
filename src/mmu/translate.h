// SPDX-License-Identifier: GPL-2.0-only
// The MMU as pure functions of registers and memory (Arm ARM D8): one overload of `translate` for
// each regime, found by the type of its registers. Nothing is cached and nothing is written; a TLB
// is the caller's business. Addresses keep their space: stage 1 of EL1&0 ends in an Ipa, everything
// else in a Pa.
//
// Where the architecture leaves a choice, the choice is: TxSZ outside [16, 39] and stage-2 sizes
// that do not fit the start level or the PA size are level-0 translation faults; a reserved TG0
// means 64 KiB, a reserved TG1 4 KiB; RES0 bits are ignored; the contiguous bit changes nothing.
#pragma once

#include "mmu/access.h"
#include "mmu/fault.h"
#include "mmu/regime.h"
#include "mmu/table_reader.h"
#include "mmu/translation.h"
#include "support/address.h"

namespace pkvmemu::mmu {

/// What every walk needs besides the regime.
struct WalkContext {
  TableReader memory;
  Features features{};
};

/// EL2's own stage 1.
WalkResult<Pa> translate(const El2Regime& regs, Va va, Access access, const WalkContext& context);

/// EL1&0, both stages; either may be switched off by its registers.
WalkResult<Pa> translate(const El1Regime& regs, Va va, Access access, const WalkContext& context);

/// EL1&0, stage 1 only, as AT S1E1R reports it. Its table walks go through stage 2 all the same.
WalkResult<Ipa> translate_stage1(const El1Regime& regs, Va va, Access access,
                                 const WalkContext& context);

/// Stage 2 only. The privilege is that of the stage-1 access (FEAT_XNX).
WalkResult<Pa> translate(const Stage2& regs, Ipa ipa, Access access, const WalkContext& context);

}  // namespace pkvmemu::mmu
