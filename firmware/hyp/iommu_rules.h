// SPDX-License-Identifier: GPL-2.0-only
// What the generations do differently for IOMMU drivers (pkvm-abi.md 1.1, 1.6, 5, 7.9). 6.1 has
// device drivers in place of domains; what is about those is 0 there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pkvm/generation.h"

namespace pkvmemu::hyp {

struct IommuRules {
  std::size_t domain_size;    ///< of struct kvm_hyp_iommu_domain
  std::size_t device_lock;    ///< offsets in struct kvm_hyp_iommu
  std::size_t device_power;   ///< its struct kvm_power_domain
  std::size_t device_is_off;  ///< its power_is_off
  unsigned host_domains;      ///< ids that the host may use
  bool atomic_pool_requests;  ///< iommu_donate_pages_atomic asks the host, too
  bool guests_bring_pages;    ///< a loaded protected vCPU's VM gives the pages
  bool mapping_fails_in_x0;   ///< __pkvm_host_iommu_map_pages has its error there
  bool knows_scmi;            ///< a power domain may be ARM_SCMI's
  bool has_devices;           ///< drivers with devices (iommu_devices.h), no operations for domains
  bool hears_of_mapped_mmio;  ///< a driver is told of MMIO that is mapped on demand (7.7)
  bool unmapping_fills_cache;  ///< unmap_pages notes what to let go of, else it does so itself
};

constexpr const IommuRules& iommu_rules(pkvm::Generation id) {
  constexpr static std::array<IommuRules, pkvm::generation_count> rows = {{
      {.domain_size = 0,
       .device_lock = 0,
       .device_power = 0,
       .device_is_off = 0,
       .host_domains = 0,
       .atomic_pool_requests = false,
       .guests_bring_pages = false,
       .mapping_fails_in_x0 = false,
       .knows_scmi = false,
       .has_devices = true,
       .hears_of_mapped_mmio = false,
       .unmapping_fills_cache = false},
      {.domain_size = 32,
       .device_lock = 16,
       .device_power = 0,
       .device_is_off = 20,
       .host_domains = 0x1'0000,
       .atomic_pool_requests = false,
       .guests_bring_pages = false,
       .mapping_fails_in_x0 = false,
       .knows_scmi = false,
       .has_devices = false,
       .hears_of_mapped_mmio = true,
       .unmapping_fills_cache = true},
      {.domain_size = 40,
       .device_lock = 0,
       .device_power = 8,
       .device_is_off = 56,
       .host_domains = 0x8000,
       .atomic_pool_requests = true,
       .guests_bring_pages = true,
       .mapping_fails_in_x0 = true,
       .knows_scmi = true,
       .has_devices = false,
       .hears_of_mapped_mmio = true,
       .unmapping_fills_cache = false},
  }};
  return rows[static_cast<std::size_t>(id)];
}

}  // namespace pkvmemu::hyp
