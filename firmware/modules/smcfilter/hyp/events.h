/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace event of this module, for both halves. */
#if !defined(__SMCFILTER_EVENTS_H_) || defined(HYP_EVENT_MULTI_READ)
#define __SMCFILTER_EVENTS_H_

#ifdef __KVM_NVHE_HYPERVISOR__
#include <nvhe/trace.h>
#endif

HYP_EVENT(filtered_smc,
	HE_PROTO(u64 id, u8 forwarded),
	HE_STRUCT(
		he_field(u64, id)
		he_field(u8, forwarded)
	),
	HE_ASSIGN(
		__entry->id = id;
		__entry->forwarded = forwarded;
	),
	HE_PRINTK("id=0x%llx forwarded=%d", __entry->id, __entry->forwarded)
);

#endif
