// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ops_heap.h"

#include "hyp/hypervisor.h"
#include "lib/address_cast.h"

namespace pkvmemu::hyp::ops {

namespace {

int& errno_of_this_cpu() {
  static constinit std::array<int, max_cpus> by_cpu{};
  return by_cpu[this_cpu().index];
}

}  // namespace

void* hyp_alloc(std::uint64_t size) {
  const Expected<HypVa> memory = hypervisor().heap->allocate(size);
  errno_of_this_cpu() = memory ? 0 : pkvm::negated(memory.error());
  return fw::object_at<void>(memory ? *memory : HypVa{0});
}

int hyp_alloc_errno() {
  return errno_of_this_cpu();
}

void hyp_free(HypVa address) {
  hypervisor().heap->free(address);
}

std::uint8_t hyp_alloc_missing_donations() {
  return hypervisor().heap->take_missing_donations();
}

}  // namespace pkvmemu::hyp::ops
