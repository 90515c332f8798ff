// SPDX-License-Identifier: GPL-2.0-only
// A device that the user declares: a node below the devicetree's root, for drivers of the guest to
// find. What answers at its address, if anything, is another matter.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "machine/placement.h"

namespace pkvmemu::machine {

struct DeviceProperty {
  std::string name;
  std::vector<std::byte> value;  ///< as the tree has it; empty: the property is just there
};

struct DeclaredDevice {
  std::string node;  ///< with its unit address
  std::string compatible;
  std::optional<Range> registers;
  std::vector<DeviceProperty> properties;
};

}  // namespace pkvmemu::machine
