/* SPDX-License-Identifier: GPL-2.0-only */
/* What others have to know of the device and of the hypercall. */
#pragma once

/* The device's registers: one page. */
#define SKETCH_REGISTERS_SIZE 0x1000
#define SKETCH_ID 0x00		/* read only */
#define SKETCH_CTRL 0x04	/* bit 0: translate */
#define SKETCH_STATUS 0x08	/* bit 0: busy with a command, bit 1: it failed */
#define SKETCH_CMD 0x0c		/* a command starts as it is written */
#define SKETCH_RIGHTS 0x10	/* 64 bits: table of rights */
#define SKETCH_ROOT 0x18	/* 64 bits: root of the attached domain's tables, 0 for none */

#define SKETCH_ID_VALUE 0x534b0001
#define SKETCH_CTRL_ON 1
#define SKETCH_STATUS_BUSY 1
#define SKETCH_STATUS_FAILED 2
#define SKETCH_CMD_FORGET 1	/* what it remembers of all tables */

/* A power domain that nobody sets up. */
#define SKETCH_NO_DOMAIN 31

/* x1 of iommusketch_hvc. Results in x1, -EINVAL for other numbers. */
#define SKETCH_ASK_BLOCKED 0	/* x1 = 1 when devices cannot reach PA x2 */
#define SKETCH_ASK_COUNTS 1	/* x1 = commands, x2 = suspends, x3 = resumes, x4 = answered aborts */
