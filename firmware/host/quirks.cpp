// SPDX-License-Identifier: GPL-2.0-only
#include "host/quirks.h"

#include "host/events.h"
#include "pkvm/event.h"

namespace pkvmemu::host {

bool reproduces(const QuirkRules& rules, pkvm::Quirk quirk) {
  if (!pkvm::has_quirk(rules.generation, quirk)) return false;
  const bool reproduced = rules.defects == pkvm::Defects::reproduced;
  events().emit(pkvm::event::Kind::quirk, {reproduced ? 1ULL : 0ULL}, pkvm::quirk_row(quirk).name);
  return reproduced;
}

}  // namespace pkvmemu::host
