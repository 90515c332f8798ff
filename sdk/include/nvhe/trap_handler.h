/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for a handler's arguments. */
#pragma once

#include <asm/ptrace.h>
#include <asm/pkvm_el2_module.h>

#if KMI_HANDLER_TAKES_CONTEXT
#define cpu_reg(context, number) ((context)->regs.regs[number])
#else
#define cpu_reg(context, number) ((context)->regs[number])
#endif
#define DECLARE_REG(type, name, context, number) type name = (type)cpu_reg(context, number)
