// SPDX-License-Identifier: GPL-2.0-only
// FF-A of a protected guest, by HVC (6.12; Arm DEN 0077A): the hypervisor speaks for it to EL3 with
// the buffers that the host has had mapped. A guest names memory by its own addresses, EL3 gets
// physical ones; what a guest gave the secure world is kept here, since EL3's list would not do to
// take it back. The host allows a VM to do so before it exists (pkvm-abi.md 6.5: SET_FFA).
#pragma once

#include <cstdint>

#include "hyp/status.h"
#include "hyp/vm/guest_calls.h"
#include "hyp/vm/guest_ffa_state.h"

namespace pkvmemu::hyp {

/// A call in FF-A's range of a generation whose guests have it.
bool is_guest_ffa_call(std::uint64_t id);
Handled handle_guest_ffa(Vcpu& vcpu);

/// Whether a VM's guest has memory with the secure world by this handle.
bool is_transfer_of_a_guest(std::uint64_t handle);

/// Of a dying VM (5.4): one transfer at a time, -EAGAIN until there is none, and then its buffers.
Status reclaim_guest_ffa(std::uint64_t handle);
/// What is left of a VM's bookkeeping when all of its pages are back.
void forget_guest_ffa(GuestFfa& guest);

}  // namespace pkvmemu::hyp
