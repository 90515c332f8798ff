// SPDX-License-Identifier: GPL-2.0-only
// All that a CPU holds besides memory, between two runs. Internal to src/cpu; others carry it about
// without looking inside.
#pragma once

#include <cstdint>
#include <optional>

#include "cpu/cpu.h"
#include "cpu/engine.h"

namespace pkvmemu::cpu {

struct CpuState {
  /// The engine's: every register of every level, PSTATE, FP and SIMD, keys, the exclusive monitor,
  /// pending exception and interrupt lines, and the flags that it caches of them.
  EngineState engine;
  /// The CPU's own.
  std::uint64_t instructions = 0;
  std::uint64_t el2_instructions = 0;
  unsigned block_el = 0;
  std::uint64_t entered_vector = 0;
  unsigned faults_in_vector = 0;
  std::optional<Cpu::Told> told;
};

}  // namespace pkvmemu::cpu
