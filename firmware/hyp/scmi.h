// SPDX-License-Identifier: GPL-2.0-only
// Power domains that the host switches by SCMI over SMC (pkvm-abi.md 1.1, 1.6, 8.3; Arm DEN 0056):
// the IOMMU of a domain is suspended before EL3 takes its power away, and resumed once it is back.
// There is one channel, a page of shared memory and the number of its doorbell; while EL2 reads a
// message and EL3 carries it out the page is the hypervisor's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/iommu.h"
#include "hyp/status.h"
#include "support/address.h"

namespace pkvmemu::hyp {

/// struct kvm_power_domain's part of it.
struct ScmiDomain {
  std::uint32_t smc_id;
  std::uint32_t domain_id;
  std::uint64_t memory;
  std::uint64_t size;
};

class ScmiChannel {
 public:
  constexpr ScmiChannel() = default;

  /// -EINVAL for memory that is no page, -ENXIO for another channel than the first, -ENOSPC.
  Status add(const ScmiDomain& domain, kvm_hyp_iommu* device);
  /// Whether it is the channel's doorbell, and ends here.
  bool take(user_pt_regs& regs, std::uint32_t id) const;

 private:
  struct Domain {
    std::uint32_t id;
    kvm_hyp_iommu* device;
  };

  std::uint32_t word(std::size_t offset) const;
  void carry_out(user_pt_regs& regs) const;
  kvm_hyp_iommu* device_of_message() const;
  /// Whether EL3 did it.
  bool ring(user_pt_regs& regs) const;

  static constexpr std::size_t max_domains = 16;
  std::array<Domain, max_domains> domains_{};
  std::size_t count_ = 0;
  std::uint32_t doorbell_ = 0;
  Pa memory_{0};
  HypVa mapping_{0};
};

}  // namespace pkvmemu::hyp
