// SPDX-License-Identifier: GPL-2.0-only
// The kernel's side of 6.1's IOMMU drivers (pkvm-abi.md 3.7, 5.2, 7.9), and of the power of IOMMUs
// in all generations.
#pragma once

namespace pkvmemu::host {

/// A module has called one of the functions that bring drivers and devices: it has to say itself
/// when there are no more (pkvm_iommu_finalize).
bool has_iommu_devices();

}  // namespace pkvmemu::host
