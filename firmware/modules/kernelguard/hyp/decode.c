// SPDX-License-Identifier: GPL-2.0-only
// Stores of one general register of 32 or 64 bits (Arm ARM C4.1). Bit 30 tells them apart; pairs,
// bytes, vectors, exclusives and atomics are not what a kernel patches itself with.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "guard.h"

#define BIT_64 (1U << 30)

enum form { FORM_PLAIN, FORM_STEPS, FORM_RELEASE };

static const struct {
	u32 mask;
	u32 value;
	enum form form;
} forms[] = {
	{ 0xbfc00000, 0xb9000000, FORM_PLAIN },		/* STR, unsigned offset */
	{ 0xbfe00c00, 0xb8000000, FORM_PLAIN },		/* STUR */
	{ 0xbfe00c00, 0xb8000400, FORM_STEPS },		/* STR, post-index */
	{ 0xbfe00c00, 0xb8000c00, FORM_STEPS },		/* STR, pre-index */
	{ 0xbfe00c00, 0xb8200800, FORM_PLAIN },		/* STR, register offset */
	{ 0xbffffc00, 0x889ffc00, FORM_RELEASE },	/* STLR */
};

/* Bits 20:12, signed. */
static s64 step_of(u32 instruction)
{
	return (s64)((u64)instruction << 43) >> 55;
}

int decode(u32 instruction, struct store *store)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		if ((instruction & forms[i].mask) != forms[i].value)
			continue;
		store->bytes = instruction & BIT_64 ? 8 : 4;
		store->source = instruction & 31;
		store->base = instruction >> 5 & 31;
		store->step = forms[i].form == FORM_STEPS ? step_of(instruction) : 0;
		store->release = forms[i].form == FORM_RELEASE;
		return 0;
	}
	return -EINVAL;
}
