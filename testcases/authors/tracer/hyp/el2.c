// SPDX-License-Identifier: GPL-2.0-only
// A hypervisor half that tells what it is asked and what it answers, as trace events.
#include <asm/kvm_pkvm_module.h>
#include <linux/version.h>

#include "events.h"
#define HYP_EVENT_FILE hyp/events.h
#include <nvhe/define_events.h>

static const struct pkvm_module_ops *pkvm_ops;

void *tracing_reserve_entry(unsigned long length)
{
	return pkvm_ops->tracing_reserve_entry(length);
}

void tracing_commit_entry(void)
{
	pkvm_ops->tracing_commit_entry();
}

void tracer_hyp_hvc(struct user_pt_regs *regs)
{
	const int answer = (int)regs->regs[2] - 50;

	trace_tracer_request(regs->regs[1], (u8)regs->regs[2]);
	trace_tracer_answer(answer);
	regs->regs[0] = SMCCC_RET_SUCCESS;
	regs->regs[1] = answer;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
extern char __hyp_event_ids_start[];
extern char __hyp_event_ids_end[];

static int register_events(const struct pkvm_module_ops *ops)
{
	return ops->register_hyp_event_ids((unsigned long)__hyp_event_ids_start,
					   (unsigned long)__hyp_event_ids_end);
}
#else
/* pKVM does it. */
static int register_events(const struct pkvm_module_ops *ops)
{
	return 0;
}
#endif

int tracer_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	return register_events(ops);
}
