// SPDX-License-Identifier: GPL-2.0-only
// The IOMMU driver that a module brings (pkvm-abi.md 3.7, 7.9; from 6.6 on), and the kernel's way
// of making an IOMMU hypercall: again, as long as the hypervisor asks for memory and gets it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "pkvm/hypercall.h"

namespace pkvmemu::host {

/// struct kvm_iommu_driver's beginning.
struct IommuDriver {
  int (*init_driver)();
  void (*remove_driver)();
  /// 6.6's get_iommu_id is given the struct device, 6.12's get_iommu_id_by_of its node. Null: none.
  unsigned (*get_iommu_id)(const void* of_whom);
};

/// What kvm_iommu_register_driver was given; null without one.
const IommuDriver* iommu_driver();

struct IommuAnswer {
  std::int64_t x0;
  std::int64_t x1;
};
IommuAnswer iommu_call(pkvm::Hypercall call, std::initializer_list<std::uint64_t> arguments);

}  // namespace pkvmemu::host
