/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of the EL1 half. EL2 code has ops->puts and ops->putx64 instead. */
#pragma once

#include <linux/kern_levels.h>
#include <linux/types.h>

#ifdef __KVM_NVHE_HYPERVISOR__
#define printk(...) _Static_assert(0, "printk does not exist at EL2: use ops->puts or ops->putx64")
#else
__printf(1, 2) __cold int _printk(const char *format, ...);
#define printk(format, ...) _printk(format, ##__VA_ARGS__)
#endif

#ifndef pr_fmt
#define pr_fmt(format) format
#endif

#define pr_emerg(format, ...) printk(KERN_EMERG pr_fmt(format), ##__VA_ARGS__)
#define pr_alert(format, ...) printk(KERN_ALERT pr_fmt(format), ##__VA_ARGS__)
#define pr_crit(format, ...) printk(KERN_CRIT pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) printk(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) printk(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_notice(format, ...) printk(KERN_NOTICE pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) printk(KERN_INFO pr_fmt(format), ##__VA_ARGS__)
#define pr_cont(format, ...) printk(KERN_CONT format, ##__VA_ARGS__)
/* As without DEBUG and dynamic debug: checked by the compiler, never printed. */
#define pr_debug(format, ...)                                        \
	do {                                                         \
		if (0)                                               \
			printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__); \
	} while (0)
