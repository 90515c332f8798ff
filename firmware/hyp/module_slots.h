// SPDX-License-Identifier: GPL-2.0-only
// What EL2 knows of modules: where they lie, how they were compiled, and the handlers they
// registered (pkvm-abi.md 3.3, 4.2). Handlers are numbered over all modules, never removed, and not
// validated; a dead one faults when called.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/cfi.h"
#include "hyp/hyp_space.h"
#include "hyp/module_range.h"
#include "hyp/ownership.h"
#include "hyp/status.h"
#include "lib/spinlock.h"
#include "pkvm/hypercall.h"

namespace pkvmemu::hyp {

class ModuleSlots {
 public:
  struct Handler {
    HypVa function{0};
    std::uint32_t hash = 0;  ///< what the word before it must be; 0 for no check
  };

  // pkvm-abi.md 3.3; `space` and `ownership` are the hypervisor's.
  Expected<HypVa> alloc_module_va(HypSpace& space, std::uint64_t pages);
  static Status map_module_page(HypSpace& space, Ownership& ownership, std::uint64_t pfn, HypVa va,
                                Prot prot);
  /// Fatal when the page is not the hypervisor's or nothing is mapped at `va`.
  static void unmap_module_page(HypSpace& space, Ownership& ownership, std::uint64_t pfn, HypVa va);

  /// Notes how the module around `init` was compiled.
  void set_flavour(HypVa init, CfiFlavour flavour);
  /// Of the module that holds `function`; none for addresses of no module.
  CfiFlavour flavour_of(HypVa function) const;

  /// The module that holds `address`; empty for addresses of no module.
  ModuleRange range_of(HypVa address) const;

  /// The call number (128..255), or -ENOMEM when all are taken.
  Expected<unsigned> register_handler(HypVa function);
  /// Null for numbers nobody registered, and for handlers registered as NULL.
  const Handler* handler(unsigned index) const {
    if (index >= __atomic_load_n(&handler_count_, __ATOMIC_ACQUIRE)) return nullptr;
    const Handler& found = handlers_[index];
    return found.function.value != 0 ? &found : nullptr;
  }
  /// Some number leads to this very function.
  bool is_handler(HypVa function) const {
    return function.value != 0 &&
           std::ranges::find(handlers_, function, &Handler::function) != handlers_.end();
  }

 private:
  struct Range {
    ModuleRange where;
    CfiFlavour flavour = CfiFlavour::none;
  };
  static constexpr unsigned max_ranges = 64;

  std::array<Handler, pkvm::max_dynamic_calls> handlers_{};
  unsigned handler_count_ = 0;
  std::array<Range, max_ranges> ranges_{};
  unsigned range_count_ = 0;
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
