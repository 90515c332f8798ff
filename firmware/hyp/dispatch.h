// SPDX-License-Identifier: GPL-2.0-only
// From x0 of an HVC to the handler (pkvm-abi.md 4.3, 5.1): the modules' handlers first, then the
// static table from the split point up.
#pragma once

#include <cstdint>
#include <span>

#include "hyp/abi_types.h"
#include "hyp/cfi.h"
#include "hyp/module_slots.h"
#include "lib/address_cast.h"
#include "pkvm/generation.h"
#include "pkvm/smccc.h"

namespace pkvmemu::hyp {

using StaticCall = void (*)(user_pt_regs*);

class Dispatcher {
 public:
  constexpr Dispatcher() = default;
  /// `calls` is the generation's static table, indexed by number; calls that we do not have are
  /// null.
  constexpr Dispatcher(const pkvm::GenerationInfo& generation, std::span<const StaticCall> calls)
      : calls_(calls),
        split_(generation.first_late_call),
        hint_mask_(generation.strips_sve_hint ? pkvm::smccc::sve_hint : 0),
        presets_dynamic_x0_(generation.presets_dynamic_x0) {}

  /// Inline, as a module's call is what the whole way from EL1 and back is measured by.
  [[gnu::always_inline]] void handle(user_pt_regs* regs, const ModuleSlots& modules) const {
    const std::uint64_t number = (regs->regs[0] & ~hint_mask_) - pkvm::smccc::kvm_host_base;
    // As the kernel has it, 32 bits wide and wrapping: the upper half of x0 does not count here.
    const auto index = static_cast<std::uint32_t>(number) - pkvm::first_dynamic_call;
    const ModuleSlots::Handler* handler =
        static_cast<std::int32_t>(index) >= 0 ? modules.handler(index) : nullptr;
    if (handler == nullptr) {
      handle_static(regs, number);
      return;
    }
    if (presets_dynamic_x0_) regs->regs[0] = pkvm::smccc::success;
    check_callee(handler->function, handler->hash);
    fw::function_at<void(user_pt_regs*)>(handler->function)(regs);
  }

  /// After this the calls below __pkvm_prot_finalize are refused.
  void close_early_calls() { first_ = split_; }
  bool early_calls_closed() const { return first_ != 0; }

 private:
  /// Also where calls end that nobody registered. 6.1 refuses those before it looks here, which
  /// the host cannot tell apart.
  void handle_static(user_pt_regs* regs, std::uint64_t number) const;

  std::span<const StaticCall> calls_;
  std::uint64_t first_ = 0;
  std::uint64_t split_ = 0;
  std::uint64_t hint_mask_ = 0;
  bool presets_dynamic_x0_ = false;
};

}  // namespace pkvmemu::hyp
