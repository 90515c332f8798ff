// SPDX-License-Identifier: GPL-2.0-only
// The device: commands with a status that says when they are done, and the host's own accesses to
// the registers, of which one is answered.
#include <asm/io.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "sketch.h"

/* A device that does not answer is broken: waiting on would hang the CPU at EL2. */
#define POLLS 1000

struct sketch_counts sketch_counts;

void registers_set_tables(void *base, u64 rights, u64 root)
{
	if (!base)
		return;
	writeq_relaxed(rights, base + SKETCH_RIGHTS);
	writeq_relaxed(root, base + SKETCH_ROOT);
}

void registers_switch(void *base, bool on)
{
	if (base)
		writel(on ? SKETCH_CTRL_ON : 0, base + SKETCH_CTRL);
}

int registers_forget(void *base)
{
	unsigned int polls;
	u32 status;

	if (!base)
		return 0;
	sketch_counts.commands++;
	writel(SKETCH_CMD_FORGET, base + SKETCH_CMD);
	for (polls = 0;; polls++) {
		status = readl_relaxed(base + SKETCH_STATUS);
		if (!(status & SKETCH_STATUS_BUSY))
			return status & SKETCH_STATUS_FAILED ? -EIO : 0;
		if (polls == POLLS)
			return -ETIMEDOUT;
	}
}

#define ESR_ISV BIT(24)
#define ESR_SAS_WORD (2UL << 22)
#define ESR_SAS (3UL << 22)
#define ESR_SRT(esr) (((esr) >> 16) & 0x1f)
#define ESR_WNR BIT(6)

/* The host may read what the device is, nothing else. */
bool registers_answer(u64 *regs, u64 esr, u64 offset)
{
	const u64 target = ESR_SRT(esr);

	if (!(esr & ESR_ISV) || (esr & ESR_WNR) || (esr & ESR_SAS) != ESR_SAS_WORD)
		return false;
	if (offset != SKETCH_ID)
		return false;
	if (target < 31)
		regs[target] = SKETCH_ID_VALUE;
	sketch_counts.aborts++;
	return true;
}
