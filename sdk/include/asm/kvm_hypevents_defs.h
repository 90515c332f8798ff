/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of EL2 code, from 6.6 on (pkvm-abi.md 2.8). A module describes its events once, in a
 * header of its own:
 *
 *	HYP_EVENT(name, HE_PROTO(u64 a), HE_STRUCT(he_field(u64, a)), HE_ASSIGN(__entry->a = a;),
 *		  HE_PRINTK("a=%llu", __entry->a));
 *
 * EL2 code gets trace_name(a) from <nvhe/trace.h> and the events' records from
 * <nvhe/define_events.h>; EL1 gets their descriptions from <asm/kvm_define_hypevents.h>.
 */
#pragma once

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>

/* At EL2: the kernel writes the number, and switches what `data` points to. */
struct hyp_event_id {
	unsigned short id;
	void *data;
};
static_assert(offsetof(struct hyp_event_id, data) == 8);
static_assert(sizeof(struct hyp_event_id) == 16);

struct trace_event_fields;

#define HYP_EVENT_NAME_MAX 32

/* At EL1: one for each record of EL2's, in the same order. */
struct hyp_event {
	char name[HYP_EVENT_NAME_MAX];
	bool *enabled;
	char *print_fmt;
	struct trace_event_fields *fields;
	void (*trace_func)(void *iterator);
	int id;
};
static_assert(offsetof(struct hyp_event, print_fmt) == 40);
static_assert(offsetof(struct hyp_event, id) == 64);
static_assert(sizeof(struct hyp_event) == 72);

/* What an entry of the trace buffer begins with. */
struct hyp_entry_hdr {
	unsigned short id;
};

#define HE_PROTO(...) __VA_ARGS__
#define HE_STRUCT(...) __VA_ARGS__
#define HE_ASSIGN(...) __VA_ARGS__
#define HE_PRINTK(...) __VA_ARGS__

#define he_field(type, item) type item;

/* An entry: the header, and the event's fields packed behind it. */
#define HYP_EVENT_FORMAT(name, fields)         \
	struct __packed trace_hyp_format_##name { \
		struct hyp_entry_hdr hdr;      \
		fields                         \
	}
