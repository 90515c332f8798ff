/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL2: trace_NAME() for each HYP_EVENT that follows. The module offers the two functions itself, by
 * the operations of the same names.
 */
#pragma once

#include <asm/kvm_hypevents_defs.h>
#include <linux/atomic.h>

void *tracing_reserve_entry(unsigned long length);
void tracing_commit_entry(void);

/* Writes an entry where there is room, if the event is switched on. */
#define HYP_EVENT(name, proto, fields, assign, printk)                            \
	HYP_EVENT_FORMAT(name, fields);                                           \
	extern atomic_t name##_enabled;                                           \
	extern struct hyp_event_id hyp_event_id_##name;                           \
	static __always_inline void trace_##name(proto)                           \
	{                                                                         \
		struct trace_hyp_format_##name *__entry;                          \
                                                                                  \
		if (!atomic_read(&name##_enabled))                                \
			return;                                                   \
		__entry = tracing_reserve_entry(sizeof(*__entry));                \
		if (!__entry)                                                     \
			return;                                                   \
		__entry->hdr.id = READ_ONCE(hyp_event_id_##name.id);              \
		assign                                                            \
		tracing_commit_entry();                                           \
	}                                                                         \
	static_assert(sizeof(#name) <= HYP_EVENT_NAME_MAX)
