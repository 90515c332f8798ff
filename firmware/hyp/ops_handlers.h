// SPDX-License-Identifier: GPL-2.0-only
// The ops by which modules register their handlers and change the CPU's trap controls
// (pkvm-abi.md 1.6). `type` is the word that has to stand before the callback: 6.1 knows no words.
#pragma once

#include "hyp/cfi.h"
#include "support/address.h"

namespace pkvmemu::hyp::ops {

int register_host_smc_handler(HypVa callback, const CfiType& type);
int register_guest_smc_handler(HypVa callback);
int register_default_trap_handler(HypVa callback, const CfiType& type);
int register_psci_notifier(HypVa callback, const CfiType& type);
int register_hyp_panic_notifier(HypVa callback, const CfiType& type);
int register_unmask_serror(HypVa unmask, HypVa mask);

/// What is stored, and restored when a CPU comes back, is (old | set) & ~clear; so is the register,
/// at once. This CPU only, and no ISB.
void update_hcr_el2(std::uint64_t set, std::uint64_t clear);
/// The same; a CPU without FEAT_FGT has the stored value only.
/// For a CPU that lost it.
void restore_hfgwtr_el2();
void update_hfgwtr_el2(std::uint64_t set, std::uint64_t clear);

}  // namespace pkvmemu::hyp::ops
