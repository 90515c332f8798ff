// SPDX-License-Identifier: GPL-2.0-only
// The virtual machine monitor: what a user-space program would do with /dev/kvm to run a guest,
// each step told on the console and as events. Guest consoles appear line by line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkvm/generation.h"
#include "pkvm/guest.h"

namespace pkvmemu::host {

enum class GuestKind : std::uint8_t { ordinary, protected_vm };

/// Of a list; those behind it are not run.
inline constexpr std::size_t most_guests_at_once = pkvm::guest::most_at_once;

/// Creates a VM for each payload of a list (with commas), runs them to their ends, and tears them
/// down. A payload is the name of a program that the kernel carries, or a path in the initramfs;
/// "bare:" before it leaves a protected VM without firmware, so that it starts in the program;
/// "ffa:" lets it speak to the secure world;
/// "pvm:" or "vm:" before that gives it a kind of its own. Several guests take turns at each exit.
void run_guests(GuestKind usual, pkvm::Generation generation, std::string_view payloads);

/// Whether the firmware of one of them has reported in.
bool firmware_has_reported_in();

}  // namespace pkvmemu::host
