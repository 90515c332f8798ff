// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/registrations.h"

#include "pkvm/event.h"

namespace pkvmemu::hyp {

namespace {

/// All that keeps functions or tables of modules and outlives their init, with the op that fills
/// it.
template <typename Hyp, typename Visit>
void for_each_registry(Hyp& hyp, Visit visit) {
  visit("register_host_smc_handler", hyp.handlers.host_smc);
  visit("register_guest_smc_handler", hyp.handlers.guest_smc);
  visit("register_default_trap_handler", hyp.handlers.default_trap);
  visit("register_psci_notifier", hyp.handlers.psci);
  visit("register_hyp_panic_notifier", hyp.handlers.panic);
  visit("register_unmask_serror", hyp.handlers.serror);
  visit("register_host_perm_fault_handler", hyp.aborts.permission_handlers);
  visit("register_illegal_abt_notifier", hyp.aborts.illegal_abort_notifier);
  visit("register_serial_driver", hyp.serial);
  visit("register_hyp_event_ids", hyp.trace_events);
}

}  // namespace

void drop_registrations(Hypervisor& hyp, const ModuleRange& module, pkvm::Defects defects) {
  constexpr auto quirk = pkvm::Quirk::failed_init_keeps_handlers;
  bool any = false;
  for_each_registry(hyp, [&](std::string_view /*op*/, const auto& registry) {
    any = any || registry.has_any_of(module);
  });
  if (!any) return;
  const bool reproduced =
      pkvm::has_quirk(hyp.generation, quirk) && defects == pkvm::Defects::reproduced;
  hyp.events.emit(pkvm::event::Kind::quirk, {reproduced ? 1ULL : 0ULL},
                  pkvm::quirk_row(quirk).name);
  if (reproduced) return;
  for_each_registry(
      hyp, [&](std::string_view /*op*/, auto& registry) { registry.remove_all_of(module); });
}

std::string_view registered_with(const Hypervisor& hyp, HypVa function) {
  const ModuleRange only{.begin = function, .end = function + 1};
  std::string_view found = hyp.modules.is_handler(function) ? "pkvm_register_el2_mod_call" : "";
  for_each_registry(hyp, [&](std::string_view op, const auto& registry) {
    if (registry.has_any_of(only)) found = op;
  });
  return found;
}

}  // namespace pkvmemu::hyp
