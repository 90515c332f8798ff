// SPDX-License-Identifier: GPL-2.0-only
// Stage 2 as stage 1 needs it (internal to src/mmu).
#pragma once

#include "mmu/regime.h"
#include "mmu/translate.h"

namespace pkvmemu::mmu {

/// Reads a stage-1 descriptor at an intermediate address, through stage 2 when that is on. Stage-2
/// faults come back with s1ptw set and their own type and level (Arm ARM D8.15.2); `level` is the
/// stage-1 lookup level, which an external abort on the descriptor itself reports.
std::expected<Descriptor, Fault> read_through_stage2(const Stage2& regs, Ipa address,
                                                     unsigned level, const WalkContext& context);

/// Attributes of a mapping that both stages translated (Arm ARM D8.6.5).
MemoryAttributes combine_attributes(MemoryAttributes stage1, MemoryAttributes stage2);

/// Device memory and non-cacheable memory are outer shareable whatever SH says (Arm ARM D8.6.2).
MemoryAttributes effective_attributes(MemoryAttributes attributes);

}  // namespace pkvmemu::mmu
