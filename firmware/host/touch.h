// SPDX-License-Identifier: GPL-2.0-only
// One access of the kernel to a physical address, for the wish `touch` (docs/rc.md): what comes of
// it is told, also when it is an exception, and the kernel goes on.
#pragma once

#include <cstdint>

#include "host/rc.h"
#include "support/address.h"

namespace pkvmemu::host {

struct Touched {
  bool abort = false;       ///< an exception came: esr and far tell
  std::uint64_t value = 0;  ///< what was read
  std::uint64_t esr = 0;
  std::uint64_t far = 0;  ///< 0 for exceptions without an address
};

/// 8 bytes of RAM, 4 elsewhere. To execute is to branch there with a return address; code that
/// raises an exception comes back by that.
Touched touch(Access access, Pa pa, std::uint64_t value);

}  // namespace pkvmemu::host
