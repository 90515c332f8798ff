// SPDX-License-Identifier: GPL-2.0-only
// RAM as EL3 and the secure world reach it: by physical address, past every table of EL2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "support/address.h"

namespace pkvmemu::device {

struct SecureMemory {
  /// None where not all of it is RAM.
  std::function<std::optional<std::vector<std::byte>>(Pa, std::uint64_t)> read{};
  /// Whether all of it is RAM; otherwise nothing is written.
  std::function<bool(Pa, std::span<const std::byte>)> write{};
};

}  // namespace pkvmemu::device
