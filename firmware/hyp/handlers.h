// SPDX-License-Identifier: GPL-2.0-only
// What modules have asked to be called for (pkvm-abi.md 1.6, 8.2 to 8.5). No module takes a handler
// back; those of one whose init failed go with it (registrations.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "hyp/abi_types.h"
#include "hyp/callback.h"
#include "hyp/module_range.h"
#include "hyp/status.h"
#include "lib/spinlock.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

/// How many handlers of a kind a generation takes.
struct HandlerRules {
  std::size_t host_smc;
};

constexpr const HandlerRules& handler_rules(pkvm::Generation id) {
  constexpr static std::array<HandlerRules, pkvm::generation_count> rows = {{
      {.host_smc = 1},
      {.host_smc = 1},
      {.host_smc = 16},
  }};
  return rows[static_cast<std::size_t>(id)];
}

/// Handlers in the order of their registration. As the kernel has it, registering NULL succeeds
/// where there is room, and changes nothing.
template <typename Signature, std::size_t Capacity>
class HandlerList {
 public:
  /// -EBUSY when `limit` handlers are there.
  Status add(const Callback<Signature>& handler, std::size_t limit = Capacity) {
    const fw::LockGuard guard(lock_);
    if (count_ >= std::min(limit, Capacity)) return error(Errno::ebusy);
    if (!handler) return {};
    handlers_[count_] = handler;
    __atomic_store_n(&count_, count_ + 1, __ATOMIC_RELEASE);
    return {};
  }

  bool has_any_of(const ModuleRange& module) const {
    return std::any_of(handlers_.begin(), handlers_.begin() + count_,
                       [&](const auto& handler) { return module.contains(handler.address()); });
  }
  /// While the init that registered them runs, on its CPU.
  void remove_all_of(const ModuleRange& module) {
    const fw::LockGuard guard(lock_);
    const auto end =
        std::remove_if(handlers_.begin(), handlers_.begin() + count_,
                       [&](const auto& handler) { return module.contains(handler.address()); });
    __atomic_store_n(&count_, static_cast<std::size_t>(end - handlers_.begin()), __ATOMIC_RELEASE);
  }

  /// Calls each until one returns true.
  template <typename... Arguments>
  bool first_true(Arguments... arguments) const {
    const std::size_t count = __atomic_load_n(&count_, __ATOMIC_ACQUIRE);
    for (std::size_t i = 0; i < count; ++i)
      if (handlers_[i](arguments...)) return true;
    return false;
  }

  /// Calls all.
  template <typename... Arguments>
  void notify(Arguments... arguments) const {
    const std::size_t count = __atomic_load_n(&count_, __ATOMIC_ACQUIRE);
    for (std::size_t i = 0; i < count; ++i)
      handlers_[i](arguments...);
  }

 private:
  std::array<Callback<Signature>, Capacity> handlers_{};
  std::size_t count_ = 0;
  fw::Spinlock lock_;
};

template <typename Signature>
using SingleHandler = HandlerList<Signature, 1>;

/// The pair that lets SErrors in while EL2 works for the host.
class SErrorHandlers {
 public:
  /// -EINVAL unless both are there, -EBUSY the second time.
  Status install(const Callback<bool()>& unmask, const Callback<void()>& mask);
  bool installed() const { return static_cast<bool>(mask_); }
  bool has_any_of(const ModuleRange& module) const {
    return module.contains(unmask_.address()) || module.contains(mask_.address());
  }
  void remove_all_of(const ModuleRange& module) {
    if (!has_any_of(module)) return;
    unmask_ = {};
    mask_ = {};
  }

  /// On entry from the host: when unmask says so, SErrors are EL2's and not masked.
  void unmask() const;
  /// On the way out, and around an SMC that is forwarded.
  void mask() const;

 private:
  Callback<bool()> unmask_;
  Callback<void()> mask_;
};

using GuestSmcHandler = bool(arm_smccc_1_2_regs*, arm_smccc_1_2_regs*, pkvm_handle_t);

struct ModuleHandlers {
  static constexpr std::size_t max_handlers = 16;

  HandlerList<bool(user_pt_regs*), max_handlers> host_smc;
  HandlerList<GuestSmcHandler, max_handlers> guest_smc;
  SingleHandler<bool(user_pt_regs*)> default_trap;
  SingleHandler<void(pkvm_psci_notification, user_pt_regs*)> psci;
  SingleHandler<void(user_pt_regs*)> panic;
  SErrorHandlers serror;
};

}  // namespace pkvmemu::hyp
