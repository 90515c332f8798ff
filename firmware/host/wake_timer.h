// SPDX-License-Identifier: GPL-2.0-only
// The virtual timer as a reason to wake up. Its interrupt is never taken: the kernel runs with
// interrupts masked, and a pending one ends a wait all the same. Where the devicetree has a GICv3
// (QEMU), the interrupt needs it to get through; our machine has none, and needs none.
#pragma once

namespace pkvmemu::host {

/// Due in a millisecond.
void arm_wake_timer();
void disarm_wake_timer();

}  // namespace pkvmemu::host
