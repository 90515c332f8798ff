/* SPDX-License-Identifier: GPL-2.0-only */
/* What .modinfo is made of, NUL-terminated `tag=text` strings, and a module's parameters. */
#pragma once

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/types.h>

#define __MODULE_INFO(tag, name, text)                                                    \
	static const char __UNIQUE_ID(name)[] __used __section(".modinfo") __aligned(1) = \
		__stringify(tag) "=" text

struct kernel_param_ops;

/* One record of section __param. */
struct kernel_param {
	const char *name;
	struct module *mod;
	const struct kernel_param_ops *ops;
	const u16 perm;
	s8 level;
	u8 flags;
	void *arg;
};
static_assert(sizeof(struct kernel_param) == 40);

/* Exported by the kernel, one for each type that module_param takes. */
extern const struct kernel_param_ops param_ops_bool, param_ops_byte, param_ops_short,
	param_ops_ushort, param_ops_int, param_ops_uint, param_ops_long, param_ops_ulong,
	param_ops_ullong, param_ops_charp;

#define module_param_named(shown, variable, type, permissions)                            \
	static const char __param_str_##shown[] = #shown;                                 \
	static const struct kernel_param __param_##shown __used __section("__param")      \
		__aligned(8) = { __param_str_##shown, THIS_MODULE, &param_ops_##type,      \
				 permissions,          -1,          0,                    \
				 (void *)&variable };                                     \
	__MODULE_INFO(parmtype, shown##type, #shown ":" #type)
#define module_param(variable, type, permissions) \
	module_param_named(variable, variable, type, permissions)
#define MODULE_PARM_DESC(shown, text) __MODULE_INFO(parm, shown, #shown ":" text)
