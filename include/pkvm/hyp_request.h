// SPDX-License-Identifier: GPL-2.0-only
// A request of the hypervisor in the answer of an IOMMU hypercall (pkvm-abi.md 5.3, "request in
// x2/x3"). The specification has the fields (1.1) but not their places in the two registers; both
// ends are ours.
#pragma once

#include <cstdint>

namespace pkvm {

struct HypRequest {
  static constexpr std::uint8_t none = 0, memory = 1, map = 2;
  static constexpr std::uint8_t dest_heap = 1, dest_vcpu = 2, dest_iommu = 3;

  std::uint8_t type = none;
  std::uint8_t dest = 0;
  std::uint32_t pages = 0;  ///< how many blocks
  std::uint32_t size = 0;   ///< bytes of each

  constexpr std::uint64_t x2() const { return std::uint64_t{dest} << 8 | type; }
  constexpr std::uint64_t x3() const { return std::uint64_t{size} << 32 | pages; }
  static constexpr HypRequest from(std::uint64_t x2, std::uint64_t x3) {
    return {.type = static_cast<std::uint8_t>(x2),
            .dest = static_cast<std::uint8_t>(x2 >> 8),
            .pages = static_cast<std::uint32_t>(x3),
            .size = static_cast<std::uint32_t>(x3 >> 32)};
  }
};

}  // namespace pkvm
