/* SPDX-License-Identifier: GPL-2.0-only */
/* Who switches a device's power (pkvm-abi.md 1.1). */
#pragma once

#include <linux/types.h>

enum kvm_power_domain_type {
	KVM_POWER_DOMAIN_NONE,
	KVM_POWER_DOMAIN_HOST_HVC,
};

struct kvm_power_domain {
	enum kvm_power_domain_type type;
	u64 device_id;
};
