// SPDX-License-Identifier: GPL-2.0-only
// The firmware of protected VMs (firmware/guest/pvmfw.cpp): what is placed in the reserved region,
// and what became of it (pkvm-abi.md 6.5: taking the firmware away is how a kernel refuses
// protected VMs).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pkvmemu::observe {

/// What became of the firmware region.
enum class Pvmfw : std::uint8_t {
  absent,   ///< none was reserved
  intact,   ///< every byte as placed
  zeroed,   ///< all zero: wiped, as the kernel does it
  changed,  ///< something else
};

/// The image that this build carries; the rest of the region stays zero.
std::span<const std::byte> builtin_pvmfw();

/// Compares the whole region after a run with what was placed at its start.
Pvmfw check_pvmfw(std::span<const std::byte> region, std::span<const std::byte> placed);

}  // namespace pkvmemu::observe
