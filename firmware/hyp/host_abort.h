// SPDX-License-Identifier: GPL-2.0-only
// Stage-2 faults of the host (pkvm-abi.md 7.7): mapped on demand, answered by a module, or an abort
// injected into EL1.
#pragma once

#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/abort_callbacks.h"
#include "hyp/cfi.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

/// What the generations do with a fault and with the handlers of modules (pkvm-abi.md 1.6, 7.7).
struct FaultRules {
  bool maps_whatever_class;  ///< mapping comes first, by class only from 6.12 on
  bool zero_ends_the_chain;  ///< a handler that answers 0 has handled it; else non-zero ends it
  unsigned handlers;         ///< how many may register
  CfiType driver_handler;    ///< type of the IOMMU driver's dabt_handler
};

constexpr const FaultRules& fault_rules(pkvm::Generation id) {
  constexpr static std::array<FaultRules, pkvm::generation_count> rows = {{
      {.maps_whatever_class = true,
       .zero_ends_the_chain = false,
       .handlers = 1,
       .driver_handler = {}},
      {.maps_whatever_class = true,
       .zero_ends_the_chain = false,
       .handlers = 16,
       .driver_handler = context_abort_handler_cfi_type},
      {.maps_whatever_class = false,
       .zero_ends_the_chain = true,
       .handlers = 16,
       .driver_handler = abort_handler_cfi_type},
  }};
  return rows[static_cast<std::size_t>(id)];
}

/// What modules registered for aborts of the host.
struct AbortCallbacks {
  static constexpr unsigned most_handlers = 16;
  AbortCallbackList<most_handlers> permission_handlers;
  AbortCallbackList<1> illegal_abort_notifier;
};

void handle_host_abort(user_pt_regs* regs, std::uint64_t esr);

/// Makes the host take, at its own vectors, the abort that `esr` describes: same-EL unless it came
/// from EL0, S1PTW set as the marker that the hypervisor did it.
void inject_abort(std::uint64_t esr);

}  // namespace pkvmemu::hyp
