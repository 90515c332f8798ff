// SPDX-License-Identifier: GPL-2.0-only
// struct resource, which is the same in every generation.
#pragma once

#include <cstdint>

namespace pkvmemu::host {

struct Resource {
  std::uint64_t start;
  std::uint64_t end;  ///< the last address
  const char* name;
  std::uint64_t flags;
  std::uint64_t description;
  void* links[3];
  std::uint64_t reserved[4];
};

inline constexpr std::uint64_t resource_memory = 0x200;
inline constexpr std::uint64_t resource_interrupt = 0x400;

constexpr Resource memory_resource(std::uint64_t base, std::uint64_t size, const char* name) {
  return {.start = base,
          .end = base + size - 1,
          .name = name,
          .flags = resource_memory,
          .description = 0,
          .links = {},
          .reserved = {}};
}

}  // namespace pkvmemu::host
