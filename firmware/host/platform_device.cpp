// SPDX-License-Identifier: GPL-2.0-only
#include "host/platform_device.h"

#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

#include "host/open_firmware.h"
#include "host/records.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/string.h"
#include "support/address.h"

namespace pkvmemu::host {

namespace {

using image::Fdt;

constexpr std::size_t most_resources = 8;
constexpr std::uint32_t first_shared_interrupt = 32;  ///< of a GIC (GICv3 architecture, 2.2.1)

/// Memory first, then interrupts: an entry of three cells is type, number and how it is signalled.
std::uint32_t find_resources(Fdt::Node node, const char* name, Resource* resources) {
  const Fdt& tree = device_tree();
  std::uint32_t count = 0;
  for (unsigned i = 0; count < most_resources; ++i) {
    const auto region = tree.reg(node, i);
    if (!region) break;
    if (region->size != 0) resources[count++] = memory_resource(region->base, region->size, name);
  }
  constexpr unsigned cells_of_one = 3;
  for (unsigned i = 0; count < most_resources; ++i) {
    const auto number = tree.cell(node, "interrupts", i * cells_of_one + 1);
    if (!number) break;
    Resource interrupt = memory_resource(first_shared_interrupt + *number, 1, name);
    interrupt.flags = resource_interrupt;
    resources[count++] = interrupt;
  }
  return count;
}

/// A text of the bus's own; null when there is no memory.
[[gnu::format(printf, 1, 2)]] const char* text_record(const char* format, ...) {
  std::array<char, 128> text{};
  va_list arguments;
  va_start(arguments, format);
  fw::format_text(text, format, arguments);
  va_end(arguments);
  const std::size_t size = fw::string_length(text.data()) + 1;
  auto* record = static_cast<char*>(take_record(size));
  if (record != nullptr) fw::copy_bytes(record, text.data(), size);
  return record;
}

/// "10000000.foo", or the node's name when it has no address.
const char* bus_name(const DeviceNode& node) {
  const auto region = device_tree().reg(node.node);
  if (!region) return node.full_name;
  return text_record("%llx.%s", static_cast<unsigned long long>(region->base), node.name);
}

}  // namespace

PlatformDevice* make_platform_device(Fdt::Node node) {
  DeviceNode* object = device_node(node);
  const char* name = object == nullptr ? nullptr : bus_name(*object);
  auto* resources = static_cast<Resource*>(take_record(most_resources * sizeof(Resource)));
  auto* device = static_cast<PlatformDevice*>(take_record(page_size));
  if (name == nullptr || resources == nullptr || device == nullptr) {
    release_record(resources);
    release_record(device);
    return nullptr;
  }
  device->name = name;
  device->id = -1;
  device->device.name = name;
  device->device.of_node = object;
  device->resource_count = find_resources(node, name, resources);
  device->resources = resources;
  return device;
}

}  // namespace pkvmemu::host
