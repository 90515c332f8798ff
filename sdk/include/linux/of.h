/* SPDX-License-Identifier: GPL-2.0-only */
/* The devicetree. Nodes and properties are the boot loader's, `pkvm-emu run --device` adds to them. */
#pragma once

#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/mod_devicetable.h>
#include <linux/types.h>

struct device_node {
	const char *name;
	u32 phandle;
	const char *full_name;
};

#define MAX_PHANDLE_ARGS 16
struct of_phandle_args {
	struct device_node *np;
	int args_count;
	u32 args[MAX_PHANDLE_ARGS];
};

#define of_match_ptr(table) (table)

const void *of_get_property(const struct device_node *node, const char *name, int *length);
int of_property_read_variable_u8_array(const struct device_node *node, const char *name, u8 *out,
				       size_t least, size_t most);
int of_property_read_variable_u32_array(const struct device_node *node, const char *name, u32 *out,
					size_t least, size_t most);
int of_property_read_variable_u64_array(const struct device_node *node, const char *name, u64 *out,
					size_t least, size_t most);
int of_property_read_u64(const struct device_node *node, const char *name, u64 *out);
int of_property_read_u32_index(const struct device_node *node, const char *name, u32 index, u32 *out);
int of_property_read_string(const struct device_node *node, const char *name, const char **out);
int of_property_read_string_helper(const struct device_node *node, const char *name,
				   const char **out, size_t room, int index);
int of_property_match_string(const struct device_node *node, const char *name, const char *wanted);
int of_property_count_elems_of_size(const struct device_node *node, const char *name, int size);

struct device_node *of_find_compatible_node(struct device_node *from, const char *type,
					    const char *compatible);
struct device_node *of_find_node_opts_by_path(const char *path, const char **options);
struct device_node *of_find_node_by_name(struct device_node *from, const char *name);
struct device_node *of_find_node_by_phandle(u32 phandle);
struct device_node *of_get_next_child(const struct device_node *parent, struct device_node *child);
struct device_node *of_get_child_by_name(const struct device_node *parent, const char *name);
struct device_node *of_get_parent(const struct device_node *node);
struct device_node *of_node_get(struct device_node *node);
void of_node_put(struct device_node *node);
bool of_device_is_compatible(const struct device_node *node, const char *compatible);
bool of_device_is_available(const struct device_node *node);
const struct of_device_id *of_match_node(const struct of_device_id *table,
					 const struct device_node *node);
int __of_parse_phandle_with_args(const struct device_node *node, const char *list,
				 const char *cells, int count, int index,
				 struct of_phandle_args *out);

static inline struct device_node *of_find_node_by_path(const char *path)
{
	return of_find_node_opts_by_path(path, NULL);
}

static inline bool of_property_read_bool(const struct device_node *node, const char *name)
{
	return of_get_property(node, name, NULL) != NULL;
}

static inline int of_property_read_u32_array(const struct device_node *node, const char *name,
					     u32 *out, size_t count)
{
	const int status = of_property_read_variable_u32_array(node, name, out, count, 0);

	return status >= 0 ? 0 : status;
}

static inline int of_property_read_u32(const struct device_node *node, const char *name, u32 *out)
{
	return of_property_read_u32_array(node, name, out, 1);
}

static inline int of_property_read_string_index(const struct device_node *node, const char *name,
						int index, const char **out)
{
	const int status = of_property_read_string_helper(node, name, out, 1, index);

	return status < 0 ? status : 0;
}

static inline int of_property_count_u32_elems(const struct device_node *node, const char *name)
{
	return of_property_count_elems_of_size(node, name, sizeof(u32));
}

static inline struct device_node *of_parse_phandle(const struct device_node *node, const char *list,
						   int index)
{
	struct of_phandle_args args;

	if (__of_parse_phandle_with_args(node, list, NULL, 0, index, &args))
		return NULL;
	return args.np;
}

static inline int of_parse_phandle_with_args(const struct device_node *node, const char *list,
					     const char *cells, int index,
					     struct of_phandle_args *out)
{
	return __of_parse_phandle_with_args(node, list, cells, -1, index, out);
}

#define for_each_child_of_node(parent, child)                        \
	for (child = of_get_next_child(parent, NULL); child != NULL; \
	     child = of_get_next_child(parent, child))
#define for_each_compatible_node(node, type, compatible)                             \
	for (node = of_find_compatible_node(NULL, type, compatible); node != NULL;   \
	     node = of_find_compatible_node(node, type, compatible))
