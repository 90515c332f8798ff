/* SPDX-License-Identifier: GPL-2.0-only */
/* Text into memory. The n-forms never write past `size`; the s-forms answer what was written. */
#pragma once

#include <linux/compiler.h>
#include <linux/stdarg.h>
#include <linux/types.h>

__printf(2, 3) int sprintf(char *buffer, const char *format, ...);
__printf(3, 4) int snprintf(char *buffer, size_t size, const char *format, ...);
__printf(3, 4) int scnprintf(char *buffer, size_t size, const char *format, ...);
__printf(3, 0) int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
__printf(3, 0) int vscnprintf(char *buffer, size_t size, const char *format, va_list arguments);
/* In memory of its own; kfree() it. */
__printf(2, 3) char *kasprintf(gfp_t flags, const char *format, ...);
__printf(2, 0) char *kvasprintf(gfp_t flags, const char *format, va_list arguments);

/* How many values were found. No '+' before numbers. */
__attribute__((format(scanf, 2, 3))) int sscanf(const char *text, const char *format, ...);
__attribute__((format(scanf, 2, 0))) int vsscanf(const char *text, const char *format,
						 va_list arguments);
