// SPDX-License-Identifier: GPL-2.0-only
#include "machine/page_versions.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pkvmemu::machine {

PageVersions::PageVersions(std::span<std::byte> ram)
    : ram_(ram), pages_(ram.size() >> page_shift) {}

std::span<std::byte> PageVersions::bytes_of(Page page) const {
  return ram_.subspan(std::uint64_t{page} << page_shift, page_size);
}

PageVersions::Point PageVersions::add() {
  points_.try_emplace(++latest_);
  here_ = latest_;
  touched_.clear();
  return latest_;
}

void PageVersions::drop(Point point) {
  const auto found = points_.find(point);
  assert(found != points_.end());
  for (const auto& [page, version] : found->second) {
    release(version);
    // Nobody would come back to a copy that only RAM is equal to.
    PageState& state = pages_[page];
    if (state.version == version && copies_[version - 1].uses == 1)
      release(std::exchange(state.version, 0));
  }
  points_.erase(found);
}

void PageVersions::about_to_store(Page page) {
  PageState& state = pages_[page];
  if (state.version == 0 && state.kept_at == latest_) return;
  keep(page);
  if (const Version old = std::exchange(state.version, 0); old != 0) release(old);
  touched_.push_back(page);
}

void PageVersions::keep(Page page) {
  PageState& state = pages_[page];
  for (auto point = points_.upper_bound(state.kept_at); point != points_.end(); ++point) {
    if (state.version == 0) {
      state.version = new_copy(bytes_of(page));
      use(state.version);
    }
    point->second.emplace(page, state.version);
    use(state.version);
  }
  state.kept_at = static_cast<std::uint32_t>(latest_);
}

std::vector<PageVersions::Page> PageVersions::changed_since(Point point) const {
  if (point == here_) return touched_;
  std::vector<Page> changed;
  for (const auto& [page, version] : points_.at(point))
    if (pages_[page].version != version) changed.push_back(page);
  return changed;
}

void PageVersions::put_back(Point point, std::span<const Page> pages) {
  const auto& kept = points_.at(point);
  for (const Page page : pages) {
    keep(page);
    PageState& state = pages_[page];
    const Version version = kept.at(page);
    std::ranges::copy(*copies_[version - 1].bytes, bytes_of(page).begin());
    use(version);
    if (const Version old = std::exchange(state.version, version); old != 0) release(old);
  }
  here_ = point;
  touched_.clear();
}

PageVersions::Version PageVersions::new_copy(std::span<const std::byte> bytes) {
  Version version = 0;
  if (free_.empty()) {
    copies_.emplace_back();
    version = static_cast<Version>(copies_.size());
  } else {
    version = free_.back();
    free_.pop_back();
  }
  Copy& copy = copies_[version - 1];
  copy.bytes = std::make_unique_for_overwrite<std::array<std::byte, page_size>>();
  std::ranges::copy(bytes, copy.bytes->begin());
  return version;
}

void PageVersions::release(Version version) {
  Copy& copy = copies_[version - 1];
  if (--copy.uses != 0) return;
  copy.bytes.reset();
  free_.push_back(version);
}

}  // namespace pkvmemu::machine
