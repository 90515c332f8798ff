/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL2, in one source of a module: the records of the events in HYP_EVENT_FILE, which names the
 * module's header. Where records lie decides which description of EL1's they belong to: 6.6 keeps
 * the order of the header, 6.12 sorts by name.
 */
#include <linux/version.h>
#include <nvhe/trace.h>

#ifdef HYP_EVENT_FILE

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define __HYP_EVENT_ID_SECTION(name) ".hyp.event_ids"
#else
#define __HYP_EVENT_ID_SECTION(name) ".hyp.event_ids." #name
#endif

/* The flag is data, even though it is 0: .bss would leave .hyp.data empty. */
#undef HYP_EVENT
#define HYP_EVENT(name, proto, fields, assign, printk)                           \
	atomic_t name##_enabled __section(".data..ro_after_init") = ATOMIC_INIT(0); \
	struct hyp_event_id hyp_event_id_##name                                  \
		__section(__HYP_EVENT_ID_SECTION(name)) = { .data = &name##_enabled }

#define HYP_EVENT_MULTI_READ
#include __stringify(HYP_EVENT_FILE)
#undef HYP_EVENT_MULTI_READ

#endif
