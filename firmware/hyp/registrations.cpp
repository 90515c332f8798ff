// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/registrations.h"

#include "pkvm/event.h"

namespace pkvmemu::hyp {

namespace {

/// All that keeps functions or tables of modules and outlives their init.
template <typename Visit>
void for_each_registry(Hypervisor& hyp, Visit visit) {
  visit(hyp.handlers.host_smc);
  visit(hyp.handlers.guest_smc);
  visit(hyp.handlers.default_trap);
  visit(hyp.handlers.psci);
  visit(hyp.handlers.panic);
  visit(hyp.handlers.serror);
  visit(hyp.aborts.permission_handlers);
  visit(hyp.aborts.illegal_abort_notifier);
  visit(hyp.serial);
  visit(hyp.trace_events);
}

}  // namespace

void drop_registrations(Hypervisor& hyp, const ModuleRange& module, pkvm::Defects defects) {
  constexpr auto quirk = pkvm::Quirk::failed_init_keeps_handlers;
  bool any = false;
  for_each_registry(hyp, [&](const auto& registry) { any = any || registry.has_any_of(module); });
  if (!any) return;
  const bool reproduced =
      pkvm::has_quirk(hyp.generation, quirk) && defects == pkvm::Defects::reproduced;
  hyp.events.emit(pkvm::event::Kind::quirk, {reproduced ? 1ULL : 0ULL},
                  pkvm::quirk_row(quirk).name);
  if (reproduced) return;
  for_each_registry(hyp, [&](auto& registry) { registry.remove_all_of(module); });
}

}  // namespace pkvmemu::hyp
