// SPDX-License-Identifier: GPL-2.0-only
// Devices that may be assigned to guests, from the devicetree's "pkvm,device-assignment" nodes
// (pkvm-abi.md 7.4), and the functions that bring them into a defined state (1.6,
// device_register_reset). No guest gets one here, so that nothing calls those yet.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "hyp/memory_map.h"
#include "hyp/status.h"
#include "pkvm/hyp_image.h"

namespace pkvmemu::hyp {

/// A module's function and what it wants to be called with.
struct DeviceReset {
  HypVa function{0};
  std::uint64_t cookie = 0;
};

class AssignableDevices {
 public:
  constexpr AssignableDevices() = default;

  /// __pkvm_devices_init: from now on they are known.
  void add(std::span<const pkvm::HypDevice> devices);
  /// -ENODEV when no device has its registers at `pa`, -EBUSY when it has a function already.
  Status register_reset(Pa pa, DeviceReset reset);

 private:
  struct Device {
    PaRange registers{Pa{0}, Pa{0}};
    DeviceReset reset;
  };
  std::array<Device, pkvm::max_assignable_devices> devices_{};
  std::size_t count_ = 0;
};

}  // namespace pkvmemu::hyp
