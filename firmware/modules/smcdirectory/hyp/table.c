// SPDX-License-Identifier: GPL-2.0-only
// The table. Entries are never changed nor removed: whoever was first under a key keeps it, and a
// host that has lost its privileges cannot lead others astray.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "directory.h"

#define FIRST_HYPERCALL 128
#define HYPERCALLS 128

#define KEY_FAST_CALL (1UL << 31)
#define KEY_OWNER(key) ((key) >> 24 & 0x3f)
#define OWNER_SIP 2
#define OWNER_OEM 3

struct entry {
	u64 key;
	u64 hypercall;
};
static struct entry table[DIRECTORY_ENTRIES];
static u32 used;

/* Any CPU of the host may call at any time, and EL2 offers modules no locks. */
static u32 busy;

static void lock(void)
{
	while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		;
}

static void unlock(void)
{
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

/* Only the vendor's numbers: nobody shall answer in place of PSCI or of a trusted OS. */
static bool good_key(u64 key)
{
	return !(key >> 32) && (key & KEY_FAST_CALL) &&
	       (KEY_OWNER(key) == OWNER_SIP || KEY_OWNER(key) == OWNER_OEM);
}

static int find(u64 key)
{
	u32 i;

	for (i = 0; i < used; i++)
		if (table[i].key == key)
			return (int)table[i].hypercall;
	return -ENOENT;
}

static int add(u64 key, u64 hypercall)
{
	if (find(key) >= 0)
		return -EEXIST;
	if (used == DIRECTORY_ENTRIES)
		return -ENOSPC;
	table[used].key = key;
	table[used].hypercall = hypercall;
	used++;
	return 0;
}

int table_add(u64 key, u64 hypercall)
{
	int ret;

	if (!good_key(key) || hypercall < FIRST_HYPERCALL ||
	    hypercall - FIRST_HYPERCALL >= HYPERCALLS)
		return -EINVAL;
	lock();
	ret = add(key, hypercall);
	unlock();
	return ret;
}

int table_find(u64 key)
{
	int ret;

	lock();
	ret = find(key);
	unlock();
	return ret;
}
