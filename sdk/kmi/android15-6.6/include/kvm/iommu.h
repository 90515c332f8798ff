/* SPDX-License-Identifier: GPL-2.0-only */
/* IOMMU devices and domains as pKVM and a driver's EL2 half share them (pkvm-abi.md 1.1). */
#pragma once

#include <kvm/power_domain.h>
#include <linux/build_bug.h>
#include <linux/types.h>

typedef unsigned int pkvm_handle_t;

struct kvm_hyp_iommu {
	struct kvm_power_domain power_domain;
	u32 lock;
	bool power_is_off;
	u64 reserved[4];
};
static_assert(sizeof(struct kvm_hyp_iommu) == 56);

struct kvm_hyp_iommu_domain {
	atomic_t refs;
	pkvm_handle_t domain_id;
	void *priv;
	u64 reserved[2];
};
static_assert(sizeof(struct kvm_hyp_iommu_domain) == 32);
