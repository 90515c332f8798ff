// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/assignable_devices.h"

#include <algorithm>

#include "lib/fault.h"

namespace pkvmemu::hyp {

void AssignableDevices::add(std::span<const pkvm::HypDevice> devices) {
  if (count_ != 0) return;
  for (const pkvm::HypDevice& device : devices.first(std::min(devices.size(), devices_.size())))
    devices_[count_++] = {.registers = {Pa{device.base}, Pa{device.base + device.size}},
                          .reset = {}};
}

Status AssignableDevices::register_reset(Pa pa, DeviceReset reset) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.device.register_reset", Errno::ebusy,
                                               "a module binds a reset callback to a device"))
    return injected(fault);
  for (Device& device : std::span(devices_).first(count_)) {
    if (!device.registers.contains(pa)) continue;
    if (device.reset.function.value != 0) return error(Errno::ebusy);
    device.reset = reset;
    return {};
  }
  return error(Errno::enodev);
}

}  // namespace pkvmemu::hyp
