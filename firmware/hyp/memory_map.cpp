// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/memory_map.h"

namespace pkvmemu::hyp {

namespace {

PaRange range_of(const pkvm::HypMemoryRegion& region) {
  return {Pa{region.base}, Pa{region.base + region.size}};
}

}  // namespace

MemoryMap::Place MemoryMap::find(Pa pa) const {
  PaRange hole{Pa{0}, Pa{~std::uint64_t{0}}};
  for (const pkvm::HypMemoryRegion& region : regions_) {
    const PaRange range = range_of(region);
    if (range.contains(pa)) {
      const bool no_map = (region.flags & pkvm::HypMemoryRegion::nomap) != 0;
      return {no_map ? MemoryKind::no_map : MemoryKind::ram, range};
    }
    if (range.end <= pa) {
      hole.begin = range.end;
      continue;
    }
    hole.end = range.begin;
    break;
  }
  return {MemoryKind::mmio, hole};
}

bool MemoryMap::is_ram(const PaRange& range) const {
  for (Pa at = range.begin; at < range.end;) {
    const Place place = find(at);
    if (place.kind == MemoryKind::mmio) return false;
    at = place.range.end;
  }
  return true;
}

bool MemoryMap::is_mmio(const PaRange& range) const {
  const Place place = find(range.begin);
  return place.kind == MemoryKind::mmio && place.range.contains(range);
}

}  // namespace pkvmemu::hyp
