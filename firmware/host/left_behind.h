// SPDX-License-Identifier: GPL-2.0-only
// What the EL1 init of a module leaves in the kernel when it fails: pointers into memory that goes
// with the module, which a kernel would follow. Each part of the kernel that keeps such pointers
// takes its own back, and says so; platform drivers are the bus's (platform_bus.h).
#pragma once

#include "host/module/module.h"

namespace pkvmemu::host {

/// Work that is still pending (exported_time.cpp).
void forget_work(const kmod::Module& module);
/// Notifiers on chains of the kernel's and of other modules (exported_notifiers.cpp).
void forget_notifiers(const kmod::Module& module);
/// The IOMMU driver (iommu_driver.cpp).
void forget_iommu_driver(const kmod::Module& module);

}  // namespace pkvmemu::host
