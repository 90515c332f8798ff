// SPDX-License-Identifier: GPL-2.0-only
// The wish `await` (docs/rc.md): wishes that nobody knew at boot. The kernel tells where a buffer
// of its own lies and reads a line there. Whoever looks on from outside, as pkvm-emu's C++
// interface does, stops the machine at that event and writes the line; where nobody does, on QEMU
// for one, the buffer stays empty, which means that there is no more to do.
#pragma once

#include <string_view>

#include "host/rc.h"

namespace pkvmemu::host {

/// The next line; empty when there is none. Valid until the next one is awaited.
std::string_view awaited_line(WishPhase phase);

}  // namespace pkvmemu::host
