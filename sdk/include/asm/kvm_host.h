/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <asm/hyp_image.h>
#include <asm/kvm_asm.h>
#include <asm/kvm_pgtable.h>
#include <asm/ptrace.h>
