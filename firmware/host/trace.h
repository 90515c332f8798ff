// SPDX-License-Identifier: GPL-2.0-only
// The host's end of hyp tracing (pkvm-abi.md 2.8, 5.3, 5.4): with pkvmemu.trace_events the kernel
// gives EL2 a trace buffer, enables the events of every module that loads, and prints what they
// write, each entry by its event's own format. Generations without trace ops have nothing to trace.
#pragma once

#include "host/module/module.h"

namespace pkvmemu::host {

/// Once, when the hypervisor is up.
void start_tracing();
/// A module's EL2 half is in: its events are enabled, when they are traced at all.
void trace_module(const kmod::Module& module);
/// Prints what was written since the last time, and reports it as events.
void drain_trace();

}  // namespace pkvmemu::host
