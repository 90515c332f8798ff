// SPDX-License-Identifier: GPL-2.0-only
// The world that inlines of kernel headers read (docs/design.md, 5): the task at SP_EL0, per-CPU
// memory behind TPIDR_EL1, the shadow call stack at x18. One CPU, one task, for ever.
#pragma once

#include <cstdint>
#include <optional>

#include "host/module/services.h"
#include "pkvm/generation.h"

namespace pkvmemu::host {

/// Before any code of a module runs.
void task_init(pkvm::Generation generation);

/// Return addresses of modules' EL1 code are signed from now on, and again after a state in which
/// the CPU loses its keys.
void enable_pauth();
void restore_pauth_keys();

/// What a CPU adds to the address of a per-CPU variable.
std::uint64_t per_cpu_offset();

/// Per-CPU memory for a module: an address that nothing is mapped at, and the CPU's bytes for it.
/// Given back in any order, and used again when all of it is free. Alignments are powers of two.
std::optional<kmod::Memory> allocate_per_cpu(std::uint64_t size, std::uint64_t alignment);
void free_per_cpu(const kmod::Memory& memory);

/// Whether an access to this address ran off the end of the shadow call stack.
bool is_shadow_stack_overflow(std::uint64_t address, std::uint64_t x18);

}  // namespace pkvmemu::host
