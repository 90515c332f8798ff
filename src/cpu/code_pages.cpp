// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/code_pages.h"

#include <cassert>

namespace pkvmemu::cpu {

void CodePages::add_ram(Pa base, std::uint64_t size) {
  regions_.push_back({.base = base, .size = size, .pages = std::vector<Page>(size >> page_shift)});
}

CodePages::Page& CodePages::page(Pa pa) {
  for (Region& region : regions_)
    if (pa >= region.base && pa - region.base < region.size)
      return region.pages[(pa - region.base) >> page_shift];
  assert(false && "asked about RAM only");
  return regions_.front().pages.front();
}

Pa CodePages::fetched(Pa pa) {
  Page& it = page(pa);
  it.fetched = true;
  return pa + (it.name % names_ * stride);
}

void CodePages::written(Pa pa) {
  Page& it = page(pa);
  if (it.written) return;
  it.written = true;
  written_.push_back(pa);
}

bool CodePages::invalidate() {
  if (written_.empty()) return false;
  for (const Pa pa : written_) {
    Page& it = page(pa);
    it.written = false;
    if (!it.fetched) continue;
    it.fetched = false;
    wants_name_ = wants_name_ || it.name + 1U >= names_;
    it.name = static_cast<std::uint8_t>((it.name + 1) % most_names);
  }
  written_.clear();
  return true;
}

void CodePages::name_added() {
  ++names_;
  wants_name_ = false;
}

/// Names that were taken in the meantime mean nothing any more, and any of them will do.
void CodePages::all_dropped() {
  wants_name_ = false;
}

}  // namespace pkvmemu::cpu
