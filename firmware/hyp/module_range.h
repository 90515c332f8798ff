// SPDX-License-Identifier: GPL-2.0-only
// The addresses of one module at EL2: whose a callback is.
#pragma once

#include "support/address.h"

namespace pkvmemu::hyp {

struct ModuleRange {
  HypVa begin{0};
  HypVa end{0};

  constexpr bool contains(HypVa at) const { return at >= begin && at < end; }
};

}  // namespace pkvmemu::hyp
