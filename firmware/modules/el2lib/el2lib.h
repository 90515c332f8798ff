/* SPDX-License-Identifier: GPL-2.0-only */
/* What el2lib offers to the EL2 halves of other modules. */
#pragma once

#include <linux/types.h>

/* Adds to the sum of `owner` (0 to 7) and answers it; -EINVAL for other owners. */
s64 el2lib_add(u64 owner, s64 amount);
/* The sum of all owners. */
s64 el2lib_total(void);
