// SPDX-License-Identifier: GPL-2.0-only
// The list of calls that the host may make, in ascending order. PSCI is not on it: the hypervisor
// takes those calls before any module sees them.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "filter.h"

/* A caller that has no SVE state says so by this bit of the function id (SMCCC 1.3). */
#define SVE_HINT (1UL << 16)

static const u32 allowed[] = {
	0x80000000,	/* SMCCC_VERSION */
	0x80000001,	/* SMCCC_ARCH_FEATURES */
	0x80000002,	/* SMCCC_ARCH_SOC_ID */
	0x80003fff,	/* SMCCC_ARCH_WORKAROUND_3 */
	0x80007fff,	/* SMCCC_ARCH_WORKAROUND_2 */
	0x80008000,	/* SMCCC_ARCH_WORKAROUND_1 */
	0x82000500,	/* the vendor's: clocks */
	0x82000501,
	0x82000502,
	0x82000510,	/* thermal limits */
	0x82000511,
	0x84000050,	/* TRNG_VERSION */
	0x84000051,	/* TRNG_FEATURES */
	0x84000052,	/* TRNG_GET_UUID */
	0x84000053,	/* TRNG_RND */
	0xb2000001,	/* the trusted OS */
	0xb2000004,
	0xc2000500,	/* the vendor's: fuses, read only */
	0xc2000520,
	0xc2000521,
	0xc4000053,	/* TRNG_RND */
	0xf2000002,
};

typedef int (*compare_fn)(const void *key, const void *entry);

static int compare_ids(const void *key, const void *entry)
{
	const u32 one = *(const u32 *)key;
	const u32 other = *(const u32 *)entry;

	return one < other ? -1 : one > other;
}

static __always_inline const void *search(const void *key, const void *base, size_t count,
					  size_t size, compare_fn compare)
{
	while (count) {
		const void *middle = (const u8 *)base + count / 2 * size;
		const int order = compare(key, middle);

		if (order == 0)
			return middle;
		if (order > 0) {
			base = (const u8 *)middle + size;
			count--;
		}
		count /= 2;
	}
	return NULL;
}

/* EL3 looks at the low 32 bits, so the filter does not look at the others either. */
bool allow_has(u64 id)
{
	const u32 key = (u32)(id & ~SVE_HINT);

	return search(&key, allowed, ARRAY_SIZE(allowed), sizeof(allowed[0]), compare_ids);
}

/* A list out of order would hide calls: better no filter than one that lies. */
int allow_check(void)
{
	size_t i;

	for (i = 1; i < ARRAY_SIZE(allowed); i++)
		if (compare_ids(&allowed[i - 1], &allowed[i]) >= 0)
			return -EINVAL;
	return 0;
}
