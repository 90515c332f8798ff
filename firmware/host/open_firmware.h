// SPDX-License-Identifier: GPL-2.0-only
// The devicetree as modules see it: struct device_node for each node that somebody asked for, over
// the boot loader's flattened tree, which stays where it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "image/fdt.h"

namespace pkvmemu::host {

/// struct device_node: its first fields are the kernel's, the others are ours.
struct DeviceNode {
  const char* name;  ///< without unit address
  std::uint32_t phandle;
  const char* full_name;  ///< of the node alone, with its unit address
  std::uint64_t kernel_fields[40];
  image::Fdt::Node node;
  DeviceNode* next;  ///< of those that were asked for
};
static_assert(offsetof(DeviceNode, full_name) == 16);

/// struct of_device_id, the same in every generation.
struct OfDeviceId {
  char name[32];
  char type[32];
  char compatible[128];
  const void* data;
};
static_assert(sizeof(OfDeviceId) == 200);

/// The boot loader's tree.
const image::Fdt& device_tree();
/// The same object for the same node; null when there is no memory.
DeviceNode* device_node(image::Fdt::Node node);
/// The entry of a driver's table that fits the node best: the first string of `compatible` counts
/// most. Null when none does.
const OfDeviceId* match_node(const OfDeviceId* table, image::Fdt::Node node);

}  // namespace pkvmemu::host
