/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code that a kernel replaces on CPUs with some feature. Modules of this SDK keep the first form,
 * which every CPU runs (pkvm-abi.md 2.6).
 */
#pragma once

#define ALTERNATIVE(first, ...) first
