// SPDX-License-Identifier: GPL-2.0-only
// The syndrome that the engine keeps for an exception it is about to report. The interrupt hook
// passes only a number, but a saved context holds the CPU state, the pending exception included.
// Its place is not public: it is found once per process by running `hvc #0x1234` on a scratch
// engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "cpu/engine.h"

namespace pkvmemu::cpu {

struct PendingSyndrome {
  std::uint64_t esr = 0;
  std::uint64_t far = 0;
  unsigned target_el = 0;
};

/// Reads the pending exception; to be called from the interrupt hook.
PendingSyndrome read_pending_syndrome(const Engine& engine);

}  // namespace pkvmemu::cpu
