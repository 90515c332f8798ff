// SPDX-License-Identifier: GPL-2.0-only
// The host's hypercalls about IOMMUs, their pools and their power (pkvm-abi.md 5.2 to 5.4). Those
// that may have to ask for memory answer with the request in x2 and x3 (pkvm/hyp_request.h).
#pragma once

#include "hyp/abi_types.h"

namespace pkvmemu::hyp {

void call_iommu_init_6_6(user_pt_regs* regs);
void call_iommu_init_6_12(user_pt_regs* regs);
void call_iommu_driver_init(user_pt_regs* regs);
void call_iommu_register(user_pt_regs* regs);
void call_iommu_pm_notify(user_pt_regs* regs);
void call_iommu_finalize(user_pt_regs* regs);
void call_devices_init(user_pt_regs* regs);

void call_hyp_alloc_mgt_refill(user_pt_regs* regs);
void call_hyp_alloc_mgt_reclaimable(user_pt_regs* regs);
void call_hyp_alloc_mgt_reclaim(user_pt_regs* regs);

void call_iommu_alloc_domain(user_pt_regs* regs);
void call_iommu_free_domain(user_pt_regs* regs);
void call_iommu_attach_dev(user_pt_regs* regs);
void call_iommu_detach_dev(user_pt_regs* regs);
void call_iommu_map_pages(user_pt_regs* regs);
void call_iommu_unmap_pages(user_pt_regs* regs);
void call_iommu_iova_to_phys(user_pt_regs* regs);
void call_host_hvc_pd(user_pt_regs* regs);

}  // namespace pkvmemu::hyp
