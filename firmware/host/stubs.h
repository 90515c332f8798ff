// SPDX-License-Identifier: GPL-2.0-only
// Stand-ins for functions that this kernel does not have. Each is a piece of code of its own
// (stubs.S), which reports the call under the symbol's name and answers: declared ones as their row
// of pkvm/stubs.def says; with pkvmemu.unresolved=stub each import that nobody exports gets one
// that answers 0. A stub is a function: data imports read its code, stores fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pkvmemu::host {

/// The declared stub of this name.
std::optional<std::uint64_t> declared_stub_address(std::string_view symbol);

void enable_stubs();
/// The stub's address, the same for the same symbol; nothing when stubs are off or used up. The
/// name must stay.
std::optional<std::uint64_t> stub_address(std::string_view symbol);

}  // namespace pkvmemu::host
