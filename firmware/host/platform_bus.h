// SPDX-License-Identifier: GPL-2.0-only
// The platform bus: a device for each enabled child of the devicetree's root that has a
// `compatible`, and the drivers that modules register. A driver is offered every device that
// matches it and has none yet; -EPROBE_DEFER is tried again after every other driver that took a
// device.
//
// struct platform_driver's fields lie where sdk/include/linux/platform_device.h has them, which
// differs between generations (DriverLayout).
#pragma once

#include <cstdint>

#include "host/module/module.h"
#include "pkvm/generation.h"

namespace pkvmemu::host {

/// Which structures modules use.
void platform_bus_init(pkvm::Generation generation);
/// Of struct platform_driver at this address. 0, or the error of the registration itself: what
/// probe functions answer is told, and is no error. `owner` is THIS_MODULE.
int register_platform_driver(std::uint64_t driver, std::uint64_t owner);
/// Its devices are taken from it (remove, then what was allocated for it).
void unregister_platform_driver(std::uint64_t driver);
/// Before the memory of a module goes whose init failed: takes its drivers off the bus, and tells
/// so. A kernel does not, and calls freed memory at the next device (docs/fidelity.md).
void forget_platform_drivers(const kmod::Module& module);
/// Before power-off: `shutdown` of each driver that has a device, the last device first. As in a
/// kernel `remove` is not called.
void shut_down_platform_devices();
/// Whether it has a device.
bool has_device(std::uint64_t driver);
/// Tells of devices whose driver still waits for another one.
void report_deferred_devices();

}  // namespace pkvmemu::host
