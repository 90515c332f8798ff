/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of the EL1 half. EL2 code has ops->puts and ops->putx64 instead. */
#pragma once

#include <linux/kern_levels.h>
#include <linux/types.h>

#ifdef __KVM_NVHE_HYPERVISOR__
#define printk(...) _Static_assert(0, "printk does not exist at EL2: use ops->puts or ops->putx64")
#else
#include <linux/stdarg.h>

__printf(1, 0) int vprintk(const char *format, va_list arguments);
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

/* Checked by the compiler, never printed. */
#define no_printk(format, ...)                           \
	do {                                             \
		if (0)                                   \
			printk(format, ##__VA_ARGS__);   \
	} while (0)
/* Debug messages are for modules that define DEBUG; there is no dynamic debug. */
#ifdef DEBUG
#define pr_debug(format, ...) printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)
#define pr_devel(format, ...) printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)
#else
#define pr_debug(format, ...) no_printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)
#define pr_devel(format, ...) no_printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)
#endif

#define printk_once(format, ...)                         \
	do {                                             \
		static bool __told;                      \
		if (!__told) {                           \
			__told = true;                   \
			printk(format, ##__VA_ARGS__);   \
		}                                        \
	} while (0)
#define pr_err_once(format, ...) printk_once(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn_once(format, ...) printk_once(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_notice_once(format, ...) printk_once(KERN_NOTICE pr_fmt(format), ##__VA_ARGS__)
#define pr_info_once(format, ...) printk_once(KERN_INFO pr_fmt(format), ##__VA_ARGS__)

/* Nothing is left out here: a run ends before a rate would matter. */
#define printk_ratelimited(format, ...) printk(format, ##__VA_ARGS__)
#define pr_err_ratelimited(format, ...) pr_err(format, ##__VA_ARGS__)
#define pr_warn_ratelimited(format, ...) pr_warn(format, ##__VA_ARGS__)
#define pr_notice_ratelimited(format, ...) pr_notice(format, ##__VA_ARGS__)
#define pr_info_ratelimited(format, ...) pr_info(format, ##__VA_ARGS__)
#define pr_debug_ratelimited(format, ...) pr_debug(format, ##__VA_ARGS__)
