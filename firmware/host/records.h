// SPDX-License-Identifier: GPL-2.0-only
// Memory for what the kernel keeps about a module's things: devices, drivers, nodes. It comes from
// the modules' heap, but is no step of theirs that could fail (Heap::allocate_record).
#pragma once

#include <cstddef>

namespace pkvmemu::host {

/// Zeroed; null when there is none.
void* take_record(std::size_t size);
void release_record(void* record);

}  // namespace pkvmemu::host
