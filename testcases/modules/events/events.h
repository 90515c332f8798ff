/* SPDX-License-Identifier: GPL-2.0-only */
/* The records of hyp trace events as both halves have them, and two events of this module. */
#pragma once

#include <linux/types.h>
#include <linux/version.h>

/* At EL1, section _hyp_events. */
struct hyp_event {
	char name[32];
	bool *enabled;
	char *print_fmt;
	struct trace_event_fields *fields;
	void (*trace_func)(void *iterator);
	int id;
};
struct trace_event_fields {
	const char *type;
	const char *name;
	int size;
	int align;
	unsigned int is_signed;
	int filter_type;
	int len;
};

/* At EL2, section .hyp.event_ids; `data` points to the flag. */
struct hyp_event_id {
	unsigned short id;
	void *data;
};

/* What lies in the trace buffer. */
struct entry_sum {
	unsigned short id;
	u64 a;
	u32 b;
	s32 difference;
} __attribute__((packed));

struct entry_mark {
	unsigned short id;
	u8 number;
} __attribute__((packed));

enum events_operation {
	EVENTS_SUM = 0,	/* writes sum(x2, x3) */
	EVENTS_MARK = 1,	/* writes mark(x2) */
	EVENTS_MANY = 2,	/* writes mark x2 times; x1 = how many found room */
	EVENTS_RESERVE = 3,	/* x1 = 1 when there is room for x2 bytes */
	EVENTS_REGISTER = 4,	/* 6.6: registers the ids x2 times; x1 = the last answer, x2 = successes */
	EVENTS_PRINTK = 5,	/* 6.12: tracing_mod_hyp_printk(format x2, x3, 0x11, 0x22, 0x33) */
};
