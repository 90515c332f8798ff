/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What system_hvc does for each x1; x2, x3 are its arguments. The result comes back in x1 (errors
 * negative), others in x2, x3 where noted. Tests in C and C++ include this.
 */
#pragma once

enum system_operation {
  SYSTEM_ALLOC = 0,             /* x1 = hyp_alloc(x2), x2 = hyp_alloc_errno() */
  SYSTEM_FREE = 1,              /* hyp_free(x2) */
  SYSTEM_ERRNO = 2,             /* x1 = hyp_alloc_errno() */
  SYSTEM_MISSING = 3,           /* x1 = hyp_alloc_missing_donations() */
  SYSTEM_SUM = 4,               /* x1 = sum of the x3 bytes at x2 */
  SYSTEM_FILL = 5,              /* memset(x2, 0xff, x3) */
  SYSTEM_HCR = 6,               /* update_hcr_el2(set x2, clear x3); x1 = HCR_EL2 */
  SYSTEM_HFGWTR = 7,            /* update_hfgwtr_el2(set x2, clear x3) */
  SYSTEM_REGISTER = 8,          /* register handler x2 of system_handler */
  SYSTEM_REGISTER_SMC_LIST = 9, /* register_host_smc_handler x2 times; x1 = successes, x2 = last */
  SYSTEM_COUNT = 10,            /* x1 = how often handler x2 ran, x2 = its last argument */
  SYSTEM_LIST = 11,  /* a list check of system_list x2; x1 = its answer, x2 = changed registers */
  SYSTEM_CPU = 12,   /* x1 = hyp_smp_processor_id() */
  SYSTEM_DELAY = 13, /* udelay(x2); x1 = 1 when at least that long passed */
  SYSTEM_BUG = 14,   /* brk #0x800 */
  SYSTEM_READ_HCR = 15, /* x1 = HCR_EL2, x2 = DAIF */
};

enum system_handler {
  SYSTEM_SMC = 0,        /* takes 0xc2000010 and 0xc2000012, changes 0xc2000011; 0xc2000014, 15: x1 = ELR_EL2 */
  SYSTEM_SMC_SECOND = 1, /* takes 0xc2000010 and 0xc2000013 */
  SYSTEM_TRAP = 2,       /* takes all; leaves ELR_EL2 alone the first time */
  SYSTEM_TRAP_REFUSING = 3,
  SYSTEM_PSCI = 4,
  SYSTEM_PANIC = 5,
  SYSTEM_SERROR = 6,      /* unmasks */
  SYSTEM_SERROR_HALF = 7, /* the second function is NULL */
  SYSTEM_SERROR_MASK = 8, /* for SYSTEM_COUNT only */
  SYSTEM_SMC_NULL = 9,
  SYSTEM_SMC_WRONG_TYPE = 10,
  SYSTEM_GUEST_SMC = 11,        /* takes 0xc2000020; the argument is the VM's handle */
  SYSTEM_SERROR_KEEPS = 12,     /* like SYSTEM_SERROR, but leaves SErrors masked */
  SYSTEM_SERIAL = 13,           /* swallows what EL2 prints; the argument is the last character */
  SYSTEM_GUEST_SMC_SECOND = 14, /* takes 0xc2000020 and 0xc2000021 */
  SYSTEM_HANDLERS = 15,
};

enum system_list {
  SYSTEM_LIST_ADD_GOOD = 0,
  SYSTEM_LIST_ADD_CORRUPT = 1,
  SYSTEM_LIST_ADD_TWICE = 2,
  SYSTEM_LIST_DELETE_GOOD = 3,
  SYSTEM_LIST_DELETE_CORRUPT = 4,
  SYSTEM_LIST_DELETE_POISONED = 5,
};
