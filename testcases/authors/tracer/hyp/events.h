/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace events of this driver, for both halves. */
#if !defined(__TRACER_EVENTS_H_) || defined(HYP_EVENT_MULTI_READ)
#define __TRACER_EVENTS_H_

#ifdef __KVM_NVHE_HYPERVISOR__
#include <nvhe/trace.h>
#endif

HYP_EVENT(tracer_request,
	HE_PROTO(u64 address, u8 kind),
	HE_STRUCT(
		he_field(u64, address)
		he_field(u8, kind)
	),
	HE_ASSIGN(
		__entry->address = address;
		__entry->kind = kind;
	),
	HE_PRINTK("address=0x%llx kind=%d", __entry->address, __entry->kind)
);

/* Sorts before the first: 6.12 orders events by name. */
HYP_EVENT(tracer_answer,
	HE_PROTO(int value),
	HE_STRUCT(
		he_field(int, value)
	),
	HE_ASSIGN(
		__entry->value = value;
	),
	HE_PRINTK("value=%d", __entry->value)
);

#endif
