// SPDX-License-Identifier: GPL-2.0-only
// What patching a module's code needs: tables of distances to their own fields, and single
// instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "support/address.h"

namespace pkvmemu::kmod {

inline constexpr std::size_t instruction_size = 4;
inline constexpr std::uint32_t nop = 0xd503'201f;

/// Where a field at `from` points that holds a distance.
constexpr KernVa relative(std::uint64_t from, std::int64_t distance) {
  return KernVa{from + static_cast<std::uint64_t>(distance)};
}

inline std::uint32_t instruction_at(std::span<const std::byte> code) {
  std::uint32_t instruction = 0;
  __builtin_memcpy(&instruction, code.data(), sizeof(instruction));
  return instruction;
}
inline void put_instruction(std::span<std::byte> code, std::uint32_t instruction) {
  __builtin_memcpy(code.data(), &instruction, sizeof(instruction));
}

/// B from `place` to `target`, which lies in reach.
constexpr std::uint32_t branch(KernVa place, KernVa target) {
  constexpr std::uint32_t b = 0x1400'0000;
  constexpr std::uint64_t distance_mask = 0x03ff'ffff;
  return b | static_cast<std::uint32_t>((target.value - place.value) >> 2 & distance_mask);
}

}  // namespace pkvmemu::kmod
