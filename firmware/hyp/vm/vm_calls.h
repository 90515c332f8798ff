// SPDX-License-Identifier: GPL-2.0-only
// The host's hypercalls about VMs (pkvm-abi.md 5.2 to 5.4, 9.3): registers in, registers out. Which
// generation has which form is static_calls.cpp's table.
#pragma once

#include "hyp/abi_types.h"

namespace pkvmemu::hyp {

void call_init_vm(user_pt_regs* regs);
void call_init_vcpu(user_pt_regs* regs);
void call_vcpu_load(user_pt_regs* regs);
void call_vcpu_put(user_pt_regs* regs);
void call_vcpu_sync_state(user_pt_regs* regs);
void call_vcpu_run(user_pt_regs* regs);
void call_start_teardown_vm(user_pt_regs* regs);
void call_finalize_teardown_vm(user_pt_regs* regs);
/// 6.1 names the page by its IPA, later generations by its frame.
void call_reclaim_page_at_ipa(user_pt_regs* regs);
void call_reclaim_page_at_gfn(user_pt_regs* regs);
/// 6.12: what a dying VM's guest has with the secure world.
void call_reclaim_guest_ffa(user_pt_regs* regs);
/// 6.12: the version that host and EL3 agreed on, or 0.
void call_get_ffa_version(user_pt_regs* regs);
/// 6.1: one page, given or lent by the VM's kind.
void call_host_map_guest_page(user_pt_regs* regs);
/// 6.6: several, with a protection.
void call_host_map_guest_range(user_pt_regs* regs);
void call_host_unmap_guest(user_pt_regs* regs);
/// 6.12 has a call for each kind.
void call_host_donate_guest(user_pt_regs* regs);
void call_host_share_guest(user_pt_regs* regs);
void call_host_unshare_guest(user_pt_regs* regs);

}  // namespace pkvmemu::hyp
