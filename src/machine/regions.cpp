// SPDX-License-Identifier: GPL-2.0-only
// Devices that a user describes: what they may not be is refused here, the rest is the bus's rule.
#include <fmt/format.h>

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "machine/machine.h"
#include "machine/placement.h"
#include "pkvm/platform.h"
#include "support/bits.h"

namespace pkvmemu::machine {
namespace {

constexpr std::uint64_t largest_region = std::uint64_t{256} << 20;
constexpr std::uint64_t address_limit = std::uint64_t{1} << 48;

Result<void> check_region(const Range& range) {
  if (!is_aligned(range.base.value, page_size) || !is_aligned(range.size, page_size) ||
      range.size == 0)
    return fail(
        "device at {:#x} of {:#x} bytes: both have to be multiples of the page size, 0x1000",
        range.base.value, range.size);
  if (range.size > largest_region)
    return fail("device at {:#x} of {:#x} bytes: at most {:#x}", range.base.value, range.size,
                largest_region);
  if (range.base.value > address_limit - range.size)
    return fail("device at {:#x} of {:#x} bytes: physical addresses have 48 bits", range.base.value,
                range.size);
  return {};
}

struct OwnDevice {
  std::string_view name;
  Range range;
  bool is_event_port = false;
};
constexpr std::array own_devices{
    OwnDevice{
        .name = "PL011",
        .range = {.base = Pa{pkvm::platform::pl011_base}, .size = pkvm::platform::pl011_size}},
    OwnDevice{.name = "event port",
              .range = {.base = Pa{pkvm::platform::event_port_base},
                        .size = pkvm::platform::event_port_size},
              .is_event_port = true},
};

Range range_of(const device::RegionScript& region) {
  return {.base = region.base, .size = region.size};
}

std::string text_of(std::string_view what, const Range& range) {
  return fmt::format("{} ({:#x} to {:#x})", what, range.base.value, range.end().value);
}

/// What lies there already; empty when nothing does.
std::string occupant_of(const Range& range, const Config& config,
                        std::span<const device::RegionScript> earlier) {
  for (const device::RegionScript& other : earlier)
    if (range.overlaps(range_of(other)))
      return text_of(fmt::format("device {}", other.name), range_of(other));
  const Range ram{.base = Pa{pkvm::platform::ram_base}, .size = config.ram_size};
  if (range.overlaps(ram)) return text_of("RAM", ram);
  for (const OwnDevice& own : own_devices)
    if ((config.event_port || !own.is_event_port) && range.overlaps(own.range))
      return text_of(own.name, own.range);
  return {};
}

}  // namespace

Result<void> check_regions(const Config& config) {
  const std::span regions(config.world.regions);
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const Range range = range_of(regions[i]);
    if (const auto good = check_region(range); !good) return good;
    const std::string other = occupant_of(range, config, regions.first(i));
    if (!other.empty())
      return fail("{} overlaps {}", text_of(fmt::format("device {}", regions[i].name), range),
                  other);
  }
  return {};
}

}  // namespace pkvmemu::machine
