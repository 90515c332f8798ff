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

struct kernel_param;

/* How a type of parameter is read and shown. */
struct kernel_param_ops {
	unsigned int flags;
	int (*set)(const char *value, const struct kernel_param *param);
	int (*get)(char *buffer, const struct kernel_param *param);
	void (*free)(void *argument);
};

/* `set` may be called without a value, which is then NULL. */
enum { KERNEL_PARAM_OPS_FL_NOARG = 1 };

/* One record of section __param. */
struct kernel_param {
	const char *name;
	struct module *mod;
	const struct kernel_param_ops *ops;
	const u16 perm;
	s8 level;
	u8 flags;
	union {
		void *arg;
		const struct kparam_string *str;
		const struct kparam_array *arr;
	};
};
static_assert(sizeof(struct kernel_param) == 40);

/* Behind a parameter that is a character array. */
struct kparam_string {
	unsigned int maxlen;
	char *string;
};

/* Behind one that is an array of another type. */
struct kparam_array {
	unsigned int max;
	unsigned int elemsize;
	unsigned int *num;
	const struct kernel_param_ops *ops;
	void *elem;
};

/* Exported by the kernel, one for each type that module_param takes. */
extern const struct kernel_param_ops param_ops_bool, param_ops_byte, param_ops_short,
	param_ops_ushort, param_ops_int, param_ops_uint, param_ops_long, param_ops_ulong,
	param_ops_ullong, param_ops_hexint, param_ops_invbool, param_ops_charp, param_ops_string,
	param_array_ops;

/* A record of any operations and argument. */
#define __module_param_call(shown, operations, argument, permissions)                     \
	static const char __param_str_##shown[] = #shown;                                 \
	static const struct kernel_param __param_##shown __used __section("__param")      \
		__aligned(8) = { __param_str_##shown, THIS_MODULE, operations,            \
				 permissions,          -1,          0,                    \
				 { argument } }

#define module_param_cb(shown, operations, argument, permissions) \
	__module_param_call(shown, operations, (void *)(argument), permissions)
#define module_param_named(shown, variable, type, permissions)                            \
	__module_param_call(shown, &param_ops_##type, (void *)&variable, permissions);    \
	__MODULE_INFO(parmtype, shown##type, #shown ":" #type)
#define module_param(variable, type, permissions) \
	module_param_named(variable, variable, type, permissions)
#define module_param_string(shown, text, size, permissions)                               \
	static const struct kparam_string __param_string_##shown = { size, text };        \
	__module_param_call(shown, &param_ops_string, (void *)&__param_string_##shown,    \
			    permissions);                                                 \
	__MODULE_INFO(parmtype, shown##string, #shown ":string")
#define module_param_array_named(shown, array, type, count, permissions)                  \
	static const struct kparam_array __param_arr_##shown = {                          \
		sizeof(array) / sizeof((array)[0]), sizeof((array)[0]), count,            \
		&param_ops_##type, array                                                  \
	};                                                                                \
	__module_param_call(shown, &param_array_ops, (void *)&__param_arr_##shown,        \
			    permissions);                                                 \
	__MODULE_INFO(parmtype, shown##array, #shown ":array of " #type)
#define module_param_array(array, type, count, permissions) \
	module_param_array_named(array, array, type, count, permissions)
#define MODULE_PARM_DESC(shown, text) __MODULE_INFO(parm, shown, #shown ":" text)
