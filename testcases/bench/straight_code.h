// SPDX-License-Identifier: GPL-2.0-only
// Instructions a second of plain loops (loop.S): our machine, with its translation, hooks and
// budget, against the engine with nothing of ours around it.
#pragma once

#include <cstdint>

#include "support/result.h"

namespace pkvmemu::bench {

enum class LoopBody : std::uint8_t { arithmetic, memory, short_blocks };  // as in loop.S

inline constexpr std::uint64_t instructions_per_round = 64;

/// Seconds that `rounds` of the body take.
Result<double> loop_on_our_machine(LoopBody body, std::uint64_t rounds);
Result<double> loop_on_bare_engine(LoopBody body, std::uint64_t rounds);

}  // namespace pkvmemu::bench
