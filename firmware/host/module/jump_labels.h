// SPDX-License-Identifier: GPL-2.0-only
// Static keys: places of a module's code that are a NOP or a branch, as a key in memory says.
// __jump_table has a record for each: s32 code, s32 target and s64 key, distances from their own
// fields; bit 0 of the key's means "a branch while the key is off", bit 1 "in init code".
#pragma once

#include <cstdint>

#include "host/module/module.h"
#include "host/module/services.h"

namespace pkvmemu::kmod {

/// Makes all of a module's places agree with their keys; with the sections relocated and not yet
/// protected. Keys of other modules are looked for in `others`.
void prepare_jumps(KernelServices& services, std::span<const Module> others, Module& module);

/// A key was switched: changes the places of a module that depend on it. How many.
unsigned switch_jumps(KernelServices& services, const Module& module, KernVa key, bool enabled);

}  // namespace pkvmemu::kmod
