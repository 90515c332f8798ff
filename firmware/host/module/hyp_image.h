// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half of a module in the kernel's memory: finding it after ordinary relocation, as the
// kernel's module_finalize does (pkvm-abi.md 2.3), struct pkvm_el2_module inside struct module
// (2.4), and .hyp.reloc (2.5).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "host/module/module.h"
#include "pkvm/generation.h"

namespace pkvmemu::kmod {

/// Fills module.hyp, and arch.hyp where struct module has our layout. A module without EL2 code is
/// a success that fills nothing.
Loaded<void> discover_hyp(KernelServices& services, pkvm::Generation generation, Module& module);

/// Where arch.hyp lies, for the load call: by the generation's layout, or for another layout of
/// struct module by the one word that points into .hyp.text, the init field.
Loaded<std::uint64_t> locate_arch_hyp(pkvm::Generation generation, Module& module);

/// arch.hyp.init as the module's macro stored it.
KernVa read_hyp_init(pkvm::Generation generation, const Module& module);

/// arch.hyp.sections and the token, where the generation has them (load step 6).
void store_hyp_range(pkvm::Generation generation, Module& module);

/// Recorded parts by start address, absent ones first (load step 4).
std::array<HypRange, hyp_part_count> sorted_parts(const HypImage& hyp);

/// new = old - start + token for every slot (load step 7). Returns how many slots lie outside the
/// module, which the kernel would scribble over and we leave alone.
std::uint32_t apply_hyp_relocs(KernelServices& services, const Module& module);

}  // namespace pkvmemu::kmod
