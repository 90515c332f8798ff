// SPDX-License-Identifier: GPL-2.0-only
// From x0 of an HVC to the handler (pkvm-abi.md 4.3, 5.1): the modules' handlers first, then the
// static table from the split point up.
#pragma once

#include <cstdint>
#include <span>

#include "hyp/abi_types.h"
#include "hyp/module_slots.h"
#include "pkvm/generation.h"

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
        hint_mask_(generation.strips_sve_hint ? pkvm_sve_hint : 0),
        presets_dynamic_x0_(generation.presets_dynamic_x0) {}

  void handle(user_pt_regs* regs, const ModuleSlots& modules) const;

  /// After this the calls below __pkvm_prot_finalize are refused.
  void close_early_calls() { first_ = split_; }
  bool early_calls_closed() const { return first_ != 0; }

 private:
  static constexpr std::uint64_t pkvm_sve_hint = 0x1'0000;
  bool handle_dynamic(user_pt_regs* regs, std::uint64_t number, const ModuleSlots& modules) const;

  std::span<const StaticCall> calls_;
  std::uint64_t first_ = 0;
  std::uint64_t split_ = 0;
  std::uint64_t hint_mask_ = 0;
  bool presets_dynamic_x0_ = false;
};

}  // namespace pkvmemu::hyp
