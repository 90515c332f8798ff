// SPDX-License-Identifier: GPL-2.0-only
// Ways for the host kernel to end.
#pragma once

namespace pkvmemu::host {

/// PSCI SYSTEM_OFF, by SMC.
[[noreturn]] void power_off();

/// Prints the message, reports it, powers off.
[[noreturn]] void panic(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace pkvmemu::host
