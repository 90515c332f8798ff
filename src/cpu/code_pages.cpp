// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/code_pages.h"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace pkvmemu::cpu {

void CodePages::add_ram(Pa base, std::uint64_t size) {
  constexpr std::uint64_t chunk_size = std::tuple_size_v<Chunk> << page_shift;
  Region& region = regions_.emplace_back(Region{.base = base, .size = size, .chunks = {}});
  region.chunks.resize((size + chunk_size - 1) / chunk_size);
}

CodePages::Page& CodePages::page(Pa pa) {
  auto region = std::ranges::find_if(regions_, [pa](const Region& candidate) {
    return pa >= candidate.base && pa - candidate.base < candidate.size;
  });
  assert(region != regions_.end() && "asked about RAM only");
  const std::uint64_t index = (pa - region->base) >> page_shift;
  std::unique_ptr<Chunk>& chunk = region->chunks[index / std::tuple_size_v<Chunk>];
  if (!chunk) chunk = std::make_unique<Chunk>();
  return (*chunk)[index % std::tuple_size_v<Chunk>];
}

std::optional<Pa> CodePages::fetched(Pa pa) {
  Page& it = page(pa);
  if (it.stale && it.name + 1U >= names_) {
    wants_name_ = true;
    return std::nullopt;
  }
  if (it.stale) ++it.name;
  it.stale = false;
  it.fetched = true;
  return pa + (it.name * stride);
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
    it.stale = it.stale || it.fetched;
    it.fetched = false;
  }
  written_.clear();
  return true;
}

void CodePages::name_added() {
  ++names_;
  wants_name_ = false;
}

void CodePages::all_dropped() {
  wants_name_ = false;
  for (Region& region : regions_)
    for (const std::unique_ptr<Chunk>& chunk : region.chunks)
      if (chunk)
        for (Page& it : *chunk) {
          it.stale = false;
          it.name = 0;
        }
}

}  // namespace pkvmemu::cpu
