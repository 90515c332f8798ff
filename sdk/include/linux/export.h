/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <linux/compiler.h>

extern struct module __this_module;
#define THIS_MODULE (&__this_module)
