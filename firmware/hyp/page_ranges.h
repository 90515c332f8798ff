// SPDX-License-Identifier: GPL-2.0-only
// Going over a range of physical memory, by pages or by runs of one kind.
#pragma once

#include "hyp/memory_map.h"
#include "hyp/status.h"

namespace pkvmemu::hyp {

/// Calls `what` for each page of the range until one fails.
template <typename Function>
Status for_each_page(PaRange range, Function what) {
  for (Pa pa = range.begin; pa < range.end; pa = pa + page_size) {
    const Status done = what(pa);
    if (!done) return done;
  }
  return {};
}

/// Calls `what` for each part that is RAM or MMIO as a whole, until one fails.
template <typename Function>
Status for_each_run(const MemoryMap& memory, PaRange range, Function what) {
  for (Pa at = range.begin; at < range.end;) {
    const bool ram = memory.is_ram(at);
    Pa end = at;
    while (end < range.end && memory.is_ram(end) == ram)
      end = memory.find(end).range.end;
    if (end > range.end) end = range.end;
    const Status done = what(PaRange{at, end});
    if (!done) return done;
    at = end;
  }
  return {};
}

}  // namespace pkvmemu::hyp
