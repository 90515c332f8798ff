/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <asm/kvm_host.h>
#include <asm/page.h>
