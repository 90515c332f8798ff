// SPDX-License-Identifier: GPL-2.0-only
// The platform bus: a device for each enabled child of the devicetree's root that has a
// `compatible`, and the drivers that modules register. A driver is offered every device that
// matches it and has none yet; -EPROBE_DEFER is tried again after every other driver that took a
// device.
//
// The structures' fields lie where sdk/include/linux/platform_device.h has them; struct
// platform_driver's differ between generations (DriverLayout).
#pragma once

#include <cstdint>

#include "host/device.h"
#include "host/module/module.h"
#include "host/resource.h"
#include "pkvm/generation.h"

namespace pkvmemu::host {

/// struct platform_device.
struct PlatformDevice {
  const char* name;
  std::int32_t id;
  std::uint32_t id_is_automatic;
  Device device;
  std::uint64_t rest_of_device[64];
  std::uint32_t resource_count;
  Resource* resources;
};
static_assert(offsetof(PlatformDevice, device) == 16);

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
