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

/// A page that may be written while it is fetched is not remembered: what is translated under its
/// name may be of more than one content.
std::optional<Pa> CodePages::fetched(Pa pa, PageBytes bytes) {
  Page& it = page(pa);
  if (it.fetched) return pa + (it.name * stride);
  const bool remembers = remembers_ && !it.written;
  const auto known = remembers ? name_of(pa, bytes) : std::nullopt;
  if (!known && it.used >= names_) {
    wanting_ = pa;
    return std::nullopt;
  }
  it.fetched = true;
  it.name = known ? *known : it.used++;
  if (remembers && !known) keep(pa, it.name, bytes);
  return pa + (it.name * stride);
}

std::optional<std::uint8_t> CodePages::name_of(Pa pa, PageBytes bytes) const {
  const auto known = versions_.find(pfn_of(pa).value);
  if (known == versions_.end()) return std::nullopt;
  for (const Version& version : known->second)
    if (std::ranges::equal(*version.bytes, bytes)) return version.name;
  return std::nullopt;
}

void CodePages::keep(Pa pa, std::uint8_t name, PageBytes bytes) {
  auto copy = std::make_unique<std::array<std::byte, page_size>>();
  std::ranges::copy(bytes, copy->begin());
  versions_[pfn_of(pa).value].push_back({.name = name, .bytes = std::move(copy)});
}

void CodePages::forget(Pa pa, std::uint8_t name) {
  const auto known = versions_.find(pfn_of(pa).value);
  if (known == versions_.end()) return;
  std::erase_if(known->second, [name](const Version& version) { return version.name == name; });
}

/// Stores go by the first name, and the engine itself drops what was translated under that.
void CodePages::written(Pa pa) {
  Page& it = page(pa);
  if (it.written) return;
  it.written = true;
  written_.push_back(pa);
  if (!remembers_) return;
  forget(pa, 0);
  if (it.fetched) forget(pa, it.name);
}

bool CodePages::invalidate() {
  if (written_.empty()) return false;
  for (const Pa pa : written_) {
    Page& it = page(pa);
    it.written = false;
    it.fetched = false;
  }
  written_.clear();
  return true;
}

void CodePages::forget_writes() {
  for (const Pa pa : written_)
    page(pa).written = false;
  written_.clear();
}

void CodePages::name_added() {
  ++names_;
  wanting_.reset();
}

/// Nothing is translated any more for the page that wanted a name.
void CodePages::dropped() {
  page(*wanting_).used = 0;
  versions_.erase(pfn_of(*wanting_).value);
  wanting_.reset();
}

}  // namespace pkvmemu::cpu
