/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <linux/compiler.h>

/* True when the exact result does not fit *result. */
#define check_add_overflow(a, b, result) __builtin_add_overflow(a, b, result)
#define check_sub_overflow(a, b, result) __builtin_sub_overflow(a, b, result)
#define check_mul_overflow(a, b, result) __builtin_mul_overflow(a, b, result)
