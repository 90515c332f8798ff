// SPDX-License-Identifier: GPL-2.0-only
// The handler of the host's SMCs. Calls whose arguments are all in registers go on by themselves
// (false); those with a list are made here, between lending its pages and giving them back.
#include <linux/errno.h>
#include <linux/kernel.h>

#include "share.h"

struct share_counts share_counts;

/* Any CPU of the host may call at any time. */
static void count(u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static bool refuse(handler_regs *regs, long answer)
{
	count(&share_counts.refused);
	cpu_reg(regs, 0) = (u64)answer;
	cpu_reg(regs, 1) = 0;
	cpu_reg(regs, 2) = 0;
	cpu_reg(regs, 3) = 0;
	return true;
}

/* The fourth argument and those behind it. */
static u64 words_of(u64 arguments)
{
	return arguments - CALL_REGISTERS + 1;
}

bool share_smc(handler_regs *regs)
{
	const u64 arguments = cpu_reg(regs, 1) & CALL_COUNT_MASK;
	struct argument_list list;

	if (!call_is_secure(cpu_reg(regs, 0)))
		return false;
	if (!call_is_allowed(cpu_reg(regs, 0), arguments))
		return refuse(regs, SMCCC_RET_NOT_SUPPORTED);
	if (arguments <= CALL_REGISTERS)
		return false;
	if (list_lend(cpu_reg(regs, CALL_LIST_REGISTER), words_of(arguments), &list))
		return refuse(regs, SMCCC_RET_INVALID_PARAMETER);

	count(&share_counts.lent);
	WRITE_ONCE(share_counts.last_word, READ_ONCE(list.words[list.count - 1]));
	forward(regs);

	/* The call has been made, and its answer is the host's whatever becomes of the pages. */
	if (list_return(&list)) {
		count(&share_counts.stuck);
		pkvm_ops->puts("smcshare: a list did not go back");
	}
	return true;
}
