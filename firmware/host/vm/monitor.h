// SPDX-License-Identifier: GPL-2.0-only
// The virtual machine monitor: what a user-space program would do with /dev/kvm to run a guest,
// each step told on the console and as events. Guest consoles appear line by line.
#pragma once

#include <cstdint>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvmemu::host {

enum class GuestKind : std::uint8_t { ordinary, protected_vm };

/// Creates the VM, runs `payload` to its end, and tears it down. A name of a program that the
/// kernel carries, or a path in the initramfs; "bare:" before it leaves a protected VM without
/// firmware, so that it starts in the program.
void run_guest(GuestKind kind, pkvm::Generation generation, std::string_view payload);

/// Whether the firmware of one of them has reported in.
bool firmware_has_reported_in();

}  // namespace pkvmemu::host
