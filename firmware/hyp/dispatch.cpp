// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/dispatch.h"

#include "hyp/cfi.h"
#include "pkvm/smccc.h"

namespace pkvmemu::hyp {

namespace {

constexpr auto not_supported = static_cast<std::uint64_t>(pkvm::smccc::not_supported);

}  // namespace

static_assert(pkvm::smccc::sve_hint == 0x1'0000);

/// False when nobody registered the number; then the static table refuses it. 6.1 refuses it
/// here, which the host cannot tell apart.
bool Dispatcher::handle_dynamic(user_pt_regs* regs, std::uint64_t number,
                                const ModuleSlots& modules) const {
  // As the kernel has it, 32 bits wide and wrapping: the upper half of x0 does not count here.
  const auto index = static_cast<std::uint32_t>(number) - pkvm::first_dynamic_call;
  if (static_cast<std::int32_t>(index) < 0) return false;
  const ModuleSlots::Handler* handler = modules.handler(index);
  if (handler == nullptr) return false;
  if (presets_dynamic_x0_) regs->regs[0] = pkvm::smccc::success;
  check_callee(handler->function, handler->hash);
  reinterpret_cast<void (*)(user_pt_regs*)>(handler->function.value)(regs);
  return true;
}

void Dispatcher::handle(user_pt_regs* regs, const ModuleSlots& modules) const {
  const std::uint64_t id = regs->regs[0] & ~hint_mask_;
  const std::uint64_t number = id - pkvm::smccc::kvm_host_base;
  if (handle_dynamic(regs, number, modules)) return;

  const bool known = number >= first_ && number < calls_.size() && calls_[number] != nullptr;
  if (!known) {
    regs->regs[0] = not_supported;
    return;
  }
  regs->regs[0] = pkvm::smccc::success;
  calls_[number](regs);
}

}  // namespace pkvmemu::hyp
