// SPDX-License-Identifier: GPL-2.0-only
// Pointers to functions of another source: what .hyp.reloc is for.
#include <linux/types.h>

#include "services.h"

extern u64 services_factor;
u64 service_checksum(u64 address, u64 size);

static u64 service_scale(u64 value, u64 unused)
{
	return value * services_factor;
}

const service_function service_table[SERVICE_COUNT] = {
	[SERVICE_SCALE] = service_scale,
	[SERVICE_CHECKSUM] = service_checksum,
};
