/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct module and the macros that describe a module. The struct holds what a loader touches, each
 * field where the generation has it (pkvm-abi.md 2.4); the rest is padding that only the kernel uses.
 */
#pragma once

#include <asm/module.h>
#include <generated/kmi.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/types.h>

#define MODULE_NAME_LEN (64 - sizeof(unsigned long))

/* Bytes of struct module between the end of one field and the start of the next. */
#define __KMI_ARCH (KMI_MODULE_ARCH_HYP - offsetof(struct mod_arch_specific, hyp))
#define __KMI_GAP(from, size, to) u8 __after_##from[(to) - (from) - (size)]

struct module {
	u8 __first[KMI_MODULE_NAME];
	char name[MODULE_NAME_LEN];
	__KMI_GAP(KMI_MODULE_NAME, MODULE_NAME_LEN, KMI_MODULE_INIT);
	int (*init)(void);
	__KMI_GAP(KMI_MODULE_INIT, sizeof(void *), __KMI_ARCH);
	struct mod_arch_specific arch;
	__KMI_GAP(__KMI_ARCH, sizeof(struct mod_arch_specific), KMI_MODULE_EXIT);
	void (*exit)(void);
	__KMI_GAP(KMI_MODULE_EXIT, sizeof(void *), KMI_MODULE_SIZE);
} __aligned(64);

#undef __KMI_GAP
#undef __KMI_ARCH

static_assert(sizeof(struct module) == KMI_MODULE_SIZE);
static_assert(offsetof(struct module, name) == KMI_MODULE_NAME);
static_assert(offsetof(struct module, init) == KMI_MODULE_INIT);
static_assert(offsetof(struct module, arch.hyp) == KMI_MODULE_ARCH_HYP);
static_assert(offsetof(struct module, arch.hyp.init) == KMI_MODULE_ARCH_HYP + KMI_HYP_INIT);
static_assert(offsetof(struct module, exit) == KMI_MODULE_EXIT);

#define MODULE_INFO(tag, text) __MODULE_INFO(tag, tag, text)
#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_AUTHOR(text) MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
#define MODULE_VERSION(text) MODULE_INFO(version, text)
#define MODULE_ALIAS(text) MODULE_INFO(alias, text)
#define MODULE_SOFTDEP(text) MODULE_INFO(softdep, text)

/*
 * The module's init and exit under the names that the module's descriptor refers to. The test
 * functions check the types; the pointer keeps the kCFI word before a function that nothing else
 * takes the address of.
 */
#define module_init(function)                                                           \
	static inline initcall_t __maybe_unused __inittest(void) { return function; }   \
	int init_module(void) __attribute__((alias(#function)));                        \
	static void *__used __section(".discard.addressable") __init_module_address =   \
		(void *)&init_module
#define module_exit(function)                                                           \
	static inline exitcall_t __maybe_unused __exittest(void) { return function; }   \
	void cleanup_module(void) __attribute__((alias(#function)));                    \
	static void *__used __section(".discard.addressable") __cleanup_module_address = \
		(void *)&cleanup_module

int init_module(void);
void cleanup_module(void);
