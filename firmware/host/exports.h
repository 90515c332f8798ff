// SPDX-License-Identifier: GPL-2.0-only
// What this kernel exports to modules: one table of names (pkvm/exports.def) over C functions and
// data with the kernel's own types (exported_*.cpp). A symbol that is not there makes a module's
// load fail, as in a kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pkvmemu::host {

std::optional<std::uint64_t> exported_symbol(std::string_view name);

/// Sets the exported variables that depend on the boot (memstart_addr and the like).
void exports_init();
void world_exports_init();

/// The host is about to lose its privileges: is_pkvm_initialized() holds from now on.
void announce_protection();

}  // namespace pkvmemu::host
