// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/code_pages.h"

#include <algorithm>
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

Pa CodePages::fetched(Pa pa, PageBytes bytes) {
  Page& it = page(pa);
  if (!it.fetched && !take_name(pa, it, bytes)) return pa + ((names_ - 1) * stride);
  return pa + (it.name * stride);
}

/// Nothing is taken when there is no name: then wants_name() holds, nothing runs until there is
/// one, and the fetch is made again. A page that may be written while it is fetched is not
/// remembered: what is translated under its name may be of more than one content.
bool CodePages::take_name(Pa pa, Page& it, PageBytes bytes) {
  const bool remembers = remembers_ && !it.written;
  if (remembers) {
    const auto known = versions_.find(pfn_of(pa).value);
    if (known != versions_.end())
      for (const Version& version : known->second)
        if (std::ranges::equal(*version.bytes, bytes)) {
          it.name = version.name;
          it.fetched = true;
          return true;
        }
  }
  if (it.used >= names_) return false;
  it.fetched = true;
  it.name = it.used++;
  if (!remembers) return true;
  auto copy = std::make_unique<std::array<std::byte, page_size>>();
  std::ranges::copy(bytes, copy->begin());
  versions_[pfn_of(pa).value].push_back({.name = it.name, .bytes = std::move(copy)});
  return true;
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

void CodePages::replaced(Pa pa) {
  retire(pa, page(pa));
}

bool CodePages::invalidate() {
  if (written_.empty()) return false;
  for (const Pa pa : written_) {
    Page& it = page(pa);
    it.written = false;
    retire(pa, it);
  }
  written_.clear();
  return true;
}

void CodePages::forget_writes() {
  for (const Pa pa : written_)
    page(pa).written = false;
  written_.clear();
}

/// The next fetch decides on a name; here it is made sure that there will be one.
void CodePages::retire(Pa pa, Page& it) {
  it.fetched = false;
  if (it.used >= names_) wanting_.push_back(pa);
}

void CodePages::forget(Pa pa, std::uint8_t name) {
  const auto known = versions_.find(pfn_of(pa).value);
  if (known == versions_.end()) return;
  std::erase_if(known->second, [name](const Version& version) { return version.name == name; });
}

void CodePages::name_added() {
  ++names_;
  wanting_.clear();
}

/// Nothing is translated any more for the pages that wanted a name.
void CodePages::dropped() {
  for (const Pa pa : wanting_) {
    page(pa).used = 0;
    versions_.erase(pfn_of(pa).value);
  }
  wanting_.clear();
}

}  // namespace pkvmemu::cpu
