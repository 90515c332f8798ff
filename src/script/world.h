// SPDX-License-Identifier: GPL-2.0-only
// Scripted devices and answers of EL3 as users write them (docs/devices.md). An error names the
// file, and where it says something about a place in it, line and column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/script.h"
#include "support/address.h"
#include "support/result.h"

namespace pkvmemu::script {

/// "BASE:SIZE=ram|zero|FILE" of --mmio. FILE is not read here.
struct Region {
  Pa base;
  std::uint64_t size = 0;
  std::string what;
};
Result<Region> parse_region(std::string_view text);
/// Whether `what` names a file.
bool is_file(const Region& region);

/// A region that has no file: `ram` or `zero`.
device::RegionScript plain_region(const Region& region);
/// The registers of a device; `file` names the text in messages.
Result<device::RegionScript> parse_device(const Region& region, const std::string& file,
                                          std::string_view text);

struct SecureScript {
  std::vector<device::SecureCallScript> calls;
  std::optional<device::FfaScript> ffa{};
  bool logs = false;
};
/// What EL3 answers.
Result<SecureScript> parse_el3(const std::string& file, std::string_view text);

}  // namespace pkvmemu::script
