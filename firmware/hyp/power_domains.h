// SPDX-License-Identifier: GPL-2.0-only
// IOMMU devices as the driver hands them over, and those of them whose power the host switches by
// __pkvm_host_hvc_pd (pkvm-abi.md 1.1, 1.6).
#pragma once

#include <array>
#include <cstdint>

#include "hyp/iommu.h"

namespace pkvmemu::hyp {

class PowerDomains {
 public:
  constexpr PowerDomains() = default;

  /// Its lock is free; where the host switches its power, its id is known from now on.
  Status init_device(kvm_hyp_iommu* device);
  /// The driver's suspend or resume. -EINVAL for an id that no device has.
  enum class Power : std::uint8_t { off, on };
  int set(std::uint64_t id, Power power);
  /// What the driver answers; the device's note of its power follows.
  static int switch_power(kvm_hyp_iommu* device, Power power);

 private:
  static constexpr std::uint64_t max_ids = 32;
  std::array<kvm_hyp_iommu*, max_ids> devices_{};
};

}  // namespace pkvmemu::hyp
