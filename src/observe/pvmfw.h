// SPDX-License-Identifier: GPL-2.0-only
// The placeholder for protected-VM firmware. Until protected VMs run, what stands in the reserved
// region is a fixed pattern, and "protected VMs available" means that it is unchanged at the end
// of the run (pkvm-abi.md 6.5: taking the firmware away is how a kernel refuses protected VMs).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "support/file.h"

namespace pkvmemu::observe {

/// What became of the firmware region.
enum class Pvmfw : std::uint8_t {
  absent,   ///< none was reserved
  intact,   ///< every byte as placed
  zeroed,   ///< all zero: wiped, as the kernel does it
  changed,  ///< something else
};

/// Bytes that never repeat within a page and are never all zero; the rest of the region stays zero.
Bytes placeholder_pvmfw();

/// Compares the whole region after a run with what was placed at its start.
Pvmfw check_pvmfw(std::span<const std::byte> region, std::span<const std::byte> placed);

}  // namespace pkvmemu::observe
