// SPDX-License-Identifier: GPL-2.0-only
// Devices as modules see them: the part of struct device that the kernel and a driver both use, and
// what the kernel keeps about one (what was allocated for its driver, its node).
//
// Fields lie where Android kernels have them up to driver_data. `of_node` lies behind what depends
// on a kernel's options, so its place is that of the SDK (sdk/include/linux/device.h) and no other.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/open_firmware.h"

namespace pkvmemu::host {

/// struct device_driver's beginning.
struct DeviceDriver {
  const char* name;
  const void* bus;
  void* owner;
  const char* module_name;
  std::uint64_t flags;
  const OfDeviceId* of_match_table;
};
static_assert(offsetof(DeviceDriver, of_match_table) == 40);

/// struct device.
struct Device {
  const char* name;  ///< of the struct kobject that it starts with
  std::uint64_t kobject_rest[11];
  Device* parent;
  void* p;
  const char* init_name;
  const void* type;
  const void* bus;
  const DeviceDriver* driver;
  void* platform_data;
  void* driver_data;
  std::uint64_t rest[20];
  DeviceNode* of_node;
};
static_assert(offsetof(Device, driver) == 136);
static_assert(offsetof(Device, driver_data) == 152);
static_assert(offsetof(Device, of_node) == 320);

/// What devm_add_action is given.
using DeviceAction = void (*)(void* data);

/// Has `action(data)` called when the driver leaves the device. False when there is no memory.
bool when_driver_leaves(const Device* device, DeviceAction action, void* data);
/// Forgets the last such action with this data; false when there is none.
bool forget_action(const Device* device, const void* data);
/// Calls all of the device's, the last one first.
void run_device_actions(const Device* device);
/// Forgets all of the device's, uncalled: their code goes. What they would have freed stays.
void drop_device_actions(const Device* device);

}  // namespace pkvmemu::host
