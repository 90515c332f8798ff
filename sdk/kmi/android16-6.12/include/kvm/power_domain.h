/* SPDX-License-Identifier: GPL-2.0-only */
/* Who switches a device's power (pkvm-abi.md 1.1). */
#pragma once

#include <linux/types.h>

enum kvm_power_domain_type {
	KVM_POWER_DOMAIN_NONE,
	KVM_POWER_DOMAIN_HOST_HVC,
	KVM_POWER_DOMAIN_ARM_SCMI,
};

struct kvm_power_domain {
	enum kvm_power_domain_type type;
	union {
		u64 device_id;
		struct {
			u32 smc_id;
			u32 domain_id;
			u64 shmem_base;
			u64 shmem_size;
		} arm_scmi;
	};
	u64 reserved[2];
};
