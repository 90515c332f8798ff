// SPDX-License-Identifier: GPL-2.0-only
// What the hypervisor asks of the host while it refuses a call (pkvm-abi.md 1.1, kvm_hyp_req): one
// for each CPU, which the answer of an IOMMU hypercall carries to the host in x2 and x3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/layout.h"
#include "hyp/status.h"
#include "pkvm/hyp_request.h"

/// struct kvm_hyp_req, 24 bytes.
// NOLINTBEGIN(readability-identifier-naming)
struct kvm_hyp_req {
  u8 type;
  u8 padding[7];
  u8 dest;
  u8 padding_after_dest[3];
  int nr_pages;
  int sz_alloc;
  int padding_after_size;
};
// NOLINTEND(readability-identifier-naming)
static_assert(offsetof(kvm_hyp_req, dest) == 8 && offsetof(kvm_hyp_req, nr_pages) == 12 &&
              offsetof(kvm_hyp_req, sz_alloc) == 16 && sizeof(kvm_hyp_req) == 24);

namespace pkvmemu::hyp {

class Requests {
 public:
  /// -EBUSY while another one waits for the host.
  Status put(unsigned cpu, const kvm_hyp_req& request) {
    if (slots_[cpu].type != pkvm::HypRequest::none) return error(Errno::ebusy);
    slots_[cpu] = request;
    return {};
  }
  /// Memory for the IOMMU's pools, one block of `bytes`.
  Status put_iommu_memory(unsigned cpu, std::uint64_t bytes) {
    kvm_hyp_req request{};
    request.type = pkvm::HypRequest::memory;
    request.dest = pkvm::HypRequest::dest_iommu;
    request.nr_pages = 1;
    request.sz_alloc = static_cast<int>(bytes);
    return put(cpu, request);
  }
  /// The one that waits, which is gone then; its type is none without one.
  kvm_hyp_req take(unsigned cpu) {
    const kvm_hyp_req request = slots_[cpu];
    slots_[cpu] = {};
    return request;
  }

 private:
  std::array<kvm_hyp_req, max_cpus> slots_{};
};

}  // namespace pkvmemu::hyp
