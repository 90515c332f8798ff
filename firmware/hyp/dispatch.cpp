// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/dispatch.h"

namespace pkvmemu::hyp {

void Dispatcher::handle_static(user_pt_regs* regs, std::uint64_t number) const {
  const bool known = number >= first_ && number < calls_.size() && calls_[number] != nullptr;
  if (!known) {
    regs->regs[0] = static_cast<u64>(pkvm::smccc::not_supported);
    return;
  }
  regs->regs[0] = pkvm::smccc::success;
  calls_[number](regs);
}

}  // namespace pkvmemu::hyp
