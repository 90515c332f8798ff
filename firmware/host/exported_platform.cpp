// SPDX-License-Identifier: GPL-2.0-only
// What platform drivers call: to register, and to find what belongs to a device of theirs.
#include <cstdint>
#include <string_view>

#include "host/open_firmware.h"
#include "host/platform_bus.h"
#include "host/platform_device.h"
#include "lib/string.h"
#include "pkvm/errno.h"

namespace host = pkvmemu::host;
using host::PlatformDevice;
using host::Resource;
using pkvm::Errno;
using pkvm::negated;

extern "C" {

std::uint64_t export_devm_ioremap_resource(const host::Device* device, const Resource* resource);

int export_platform_driver_register(std::uint64_t driver, std::uint64_t owner) {
  return host::register_platform_driver(driver, owner);
}
void export_platform_driver_unregister(std::uint64_t driver) {
  host::unregister_platform_driver(driver);
}
/// For devices that are there now: -ENODEV when it took none.
int export_platform_driver_probe(std::uint64_t driver, std::uint64_t probe, std::uint64_t owner) {
  *reinterpret_cast<std::uint64_t*>(driver) = probe;
  const int status = host::register_platform_driver(driver, owner);
  if (status != 0 || host::has_device(driver)) return status;
  host::unregister_platform_driver(driver);
  return negated(Errno::enodev);
}

Resource* export_platform_get_resource(PlatformDevice* device, unsigned type, unsigned index) {
  for (std::uint32_t i = 0; i < device->resource_count; ++i) {
    Resource& resource = device->resources[i];
    if ((resource.flags & (host::resource_memory | host::resource_interrupt)) != type) continue;
    if (index-- == 0) return &resource;
  }
  return nullptr;
}
/// As in the devicetree's reg-names.
Resource* export_platform_get_resource_byname(PlatformDevice* device, unsigned type,
                                              const char* name) {
  const auto names = host::device_tree().property(device->device.of_node->node, "reg-names");
  if (!names || type != host::resource_memory) return nullptr;
  std::string_view rest(reinterpret_cast<const char*>(names->data()), names->size());
  const std::string_view wanted(name, pkvmemu::fw::string_length(name));
  for (unsigned i = 0; !rest.empty(); ++i)
    if (pkvmemu::fw::take_until(rest, '\0') == wanted)
      return export_platform_get_resource(device, type, i);
  return nullptr;
}
/// -ENXIO without one.
int export_platform_get_irq(PlatformDevice* device, unsigned index) {
  const Resource* resource = export_platform_get_resource(device, host::resource_interrupt, index);
  return resource == nullptr ? negated(Errno::enxio) : static_cast<int>(resource->start);
}
int export_platform_irq_count(PlatformDevice* device) {
  int count = 0;
  while (export_platform_get_resource(device, host::resource_interrupt,
                                      static_cast<unsigned>(count)) != nullptr)
    ++count;
  return count;
}
std::uint64_t export_platform_get_and_ioremap(PlatformDevice* device, unsigned index,
                                              Resource** out) {
  Resource* resource = export_platform_get_resource(device, host::resource_memory, index);
  if (out != nullptr) *out = resource;
  return export_devm_ioremap_resource(&device->device, resource);
}
std::uint64_t export_platform_ioremap(PlatformDevice* device, unsigned index) {
  return export_platform_get_and_ioremap(device, index, nullptr);
}
}
