// SPDX-License-Identifier: GPL-2.0-only
// What the host may ask of the secure world, and with how many arguments.
#include <linux/kernel.h>

#include "share.h"

#define OWNER_SIP 2
#define FIRST_TRUSTED_OS 50

/* A caller that has no SVE state says so by this bit of the function id (SMCCC 1.3). */
#define SVE_HINT (1UL << 16)

static const struct {
	u32 id;
	u32 count;
} calls[] = {
	{ 0x42000101, 4 },	/* authenticate an image */
	{ 0x42000102, 10 },	/* load one from a list of regions */
	{ 0x42000105, 1 },	/* shut it down */
	{ 0xc2000202, 6 },	/* hand memory to another owner */
	{ 0xc2000601, 2 },	/* what calls there are */
	{ 0x72000001, 12 },	/* the trusted OS: invoke */
	{ 0x72000002, 2 },	/* the trusted OS: cancel */
};

/* Owner 2 is the vendor's own firmware, 50 to 63 are trusted OSes. */
bool call_is_secure(u64 id)
{
	const u64 owner = id >> 24 & 0x3f;

	return owner == OWNER_SIP || owner >= FIRST_TRUSTED_OS;
}

bool call_is_allowed(u64 id, u64 count)
{
	const u32 function = (u32)(id & ~SVE_HINT);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].id == function)
			return count == calls[i].count;
	return false;
}
