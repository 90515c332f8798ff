// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/ops_trace.h"

#include "hyp/hypervisor.h"
#include "pkvm/trace.h"

namespace pkvmemu::hyp::ops {

int register_hyp_event_ids(HypVa start, HypVa end) {
  Hypervisor& hyp = hypervisor();
  return to_int(hyp.trace_events.add(start, end, event_ranges(hyp.generation)));
}

void* tracing_reserve_entry(std::uint64_t length) {
  return hypervisor().trace.reserve(length);
}

void tracing_commit_entry() {
  hypervisor().trace.commit();
}

void tracing_mod_hyp_printk(std::uint8_t format, const std::array<std::uint64_t, 4>& values) {
  Hypervisor& hyp = hypervisor();
  if (!hyp.trace_events.printk_enabled()) return;
  auto* const entry = reinterpret_cast<pkvm::trace::PrintkEntry*>(
      hyp.trace.reserve(sizeof(pkvm::trace::PrintkEntry)));
  if (entry == nullptr) return;
  *entry = {.id = pkvm::trace::printk_event,
            .format = format,
            .a = values[0],
            .b = values[1],
            .c = values[2],
            .d = values[3]};
  hyp.trace.commit();
}

}  // namespace pkvmemu::hyp::ops
