/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver, and what it has heard. */
#pragma once

#include <nvhe/iommu.h>

#include "../../handler.h"

extern const struct pkvm_module_ops *pkvm_ops;
extern struct kvm_hyp_iommu iommu_device;
extern struct kvm_hyp_iommu_domain iommu_identity;

struct heard {
	u64 told;
	u64 bytes;
	/* An address, and how often it was told of. */
	u64 watched;
	u64 seen;
	u64 start;
	u64 end;
	u64 prot;
	u64 completed;
	u64 synced;
	u64 suspended;
	u64 resumed;
	u64 aborts;
	u64 abort_address;
	/* Pages that one call maps at the most. */
	u64 room;
};
extern struct heard heard;
