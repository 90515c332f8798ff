/* SPDX-License-Identifier: GPL-2.0-only */
/* Compile-time checks. */
#pragma once

#undef static_assert
#define __static_assert_1(condition, text, ...) _Static_assert(condition, text)
#define static_assert(condition, ...) __static_assert_1(condition, ##__VA_ARGS__, #condition)
#define BUILD_BUG_ON(condition) static_assert(!(condition))
