// SPDX-License-Identifier: GPL-2.0-only
// What a protected guest asks the hypervisor for by HVC: PSCI, SMCCC's own questions, and the
// vendor services for memory and MMIO.
#pragma once

#include "hyp/vm/vm.h"

namespace pkvmemu::hyp {

enum class Handled : std::uint8_t {
  resume,  ///< the guest goes on at once
  exit,    ///< the host has to know
  /// The host has to map the page that x1 names, and the guest makes the call again.
  page_wanted,
};

Handled handle_guest_call(Vcpu& vcpu);

}  // namespace pkvmemu::hyp
