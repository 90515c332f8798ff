/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Symbols for other modules. An entry of __ksymtab holds distances: to the symbol, to its name, and
 * to its name space (empty here).
 */
#pragma once

#include <linux/compiler.h>

extern struct module __this_module;
#define THIS_MODULE (&__this_module)

#define __EXPORT_SYMBOL(symbol, table)                                  \
	__asm__(".pushsection \"" table "\", \"a\"\n"                   \
		"	.balign 4\n"                                    \
		"__ksymtab_" #symbol ":\n"                              \
		"	.long " #symbol " - .\n"                        \
		"	.long __kstrtab_" #symbol " - .\n"              \
		"	.long __kstrtabns_" #symbol " - .\n"            \
		".popsection\n"                                         \
		".pushsection \"__ksymtab_strings\", \"aMS\", %progbits, 1\n" \
		"__kstrtab_" #symbol ":\n"                              \
		"	.asciz \"" #symbol "\"\n"                       \
		"__kstrtabns_" #symbol ":\n"                            \
		"	.asciz \"\"\n"                                  \
		".popsection")
#define EXPORT_SYMBOL(symbol) __EXPORT_SYMBOL(symbol, "__ksymtab")
#define EXPORT_SYMBOL_GPL(symbol) __EXPORT_SYMBOL(symbol, "__ksymtab_gpl")
