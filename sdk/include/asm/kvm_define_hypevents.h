/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL1, in one source of a module: what the events in HYP_EVENT_FILE look like. HYP_EVENT_FILE names
 * the header that EL2 has them from.
 */
#include <asm/kvm_hypevents_defs.h>
#include <linux/trace_events.h>
#include <linux/version.h>

#ifdef HYP_EVENT_FILE

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define __HYP_EVENT_SECTION(name) "_hyp_events"
#else
#define __HYP_EVENT_SECTION(name) "_hyp_events." #name
#endif

#undef he_field
#define he_field(field_type, item)              \
	{                                       \
		.type = #field_type,            \
		.name = #item,                  \
		.size = sizeof(field_type),     \
		.align = _Alignof(field_type),  \
		.is_signed = (field_type)-1 < (field_type)1, \
	},

/* "format", REC->field: the form that readers of a trace know. */
#undef HE_PRINTK
#define HE_PRINTK(format, ...) "\"" format "\"" __VA_OPT__(", ") __stringify(__VA_ARGS__)
#define __entry REC

#undef HYP_EVENT
#define HYP_EVENT(event, proto, description, assign, printk)                                    \
	static struct trace_event_fields hyp_event_fields_##event[] = { description { 0 } };    \
	static bool hyp_event_enabled_##event;                                                  \
	static struct hyp_event __used hyp_event_##event __section(__HYP_EVENT_SECTION(event)) = { \
		.name = #event,                                                                 \
		.enabled = &hyp_event_enabled_##event,                                          \
		.print_fmt = printk,                                                            \
		.fields = hyp_event_fields_##event,                                             \
	}

#define HYP_EVENT_MULTI_READ
#include __stringify(HYP_EVENT_FILE)
#undef HYP_EVENT_MULTI_READ
#undef __entry

#endif
