// SPDX-License-Identifier: GPL-2.0-only
// Tells of filtered calls by a hyp trace event. android14 has none: there are the counts alone.
#include <linux/kernel.h>

#include "filter.h"

#if !FILTER_HAS_EVENTS

void report_start(void)
{
}

void report_filtered(u64 id)
{
}

#else

#include "events.h"
#define HYP_EVENT_FILE hyp/events.h
#include <nvhe/define_events.h>

void *tracing_reserve_entry(unsigned long length)
{
	return pkvm_ops->tracing_reserve_entry(length);
}

void tracing_commit_entry(void)
{
	pkvm_ops->tracing_commit_entry();
}

void report_filtered(u64 id)
{
	trace_filtered_smc(id, smcfilter_permissive);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
extern char __hyp_event_ids_start[];
extern char __hyp_event_ids_end[];

/* A filter that nobody hears of is still a filter. */
void report_start(void)
{
	if (pkvm_ops->register_hyp_event_ids((unsigned long)__hyp_event_ids_start,
					     (unsigned long)__hyp_event_ids_end))
		pkvm_ops->puts("smcfilter: no trace events");
}
#else
/* The hypervisor did it before init. */
void report_start(void)
{
}
#endif

#endif
