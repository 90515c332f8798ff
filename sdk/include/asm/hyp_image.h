/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The name that the EL1 half uses for a symbol of the EL2 half: the build puts the prefix on every
 * EL2 symbol (pkvm-abi.md 2.1).
 */
#pragma once

#define __KVM_NVHE_PASTE(symbol) __kvm_nvhe_##symbol
#define kvm_nvhe_sym(symbol) __KVM_NVHE_PASTE(symbol)
