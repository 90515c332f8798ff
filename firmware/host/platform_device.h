// SPDX-License-Identifier: GPL-2.0-only
// struct platform_device, with its fields where sdk/include/linux/platform_device.h has them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/device.h"
#include "host/resource.h"
#include "image/fdt.h"

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

/// For a node of the devicetree. A page of its own, so that what a driver writes behind our fields
/// harms nobody; null when there is no memory.
PlatformDevice* make_platform_device(image::Fdt::Node node);

}  // namespace pkvmemu::host
