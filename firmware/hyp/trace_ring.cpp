// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/trace_ring.h"

#include <algorithm>

#include "lib/fault.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

using pkvm::trace::EntryHeader;
using pkvm::trace::PageHeader;

struct TraceRing::Page {
  PageHeader header;
  std::byte entries[page_size - sizeof(PageHeader)];
};

namespace {

constexpr std::uint64_t entry_size(std::uint64_t payload) {
  return align_up(sizeof(EntryHeader) + payload, pkvm::trace::entry_alignment);
}

}  // namespace

Status TraceRing::load(const pkvm::trace::Descriptor& descriptor, Ownership& ownership,
                       const LinearMap& linear) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.trace.load", Errno::einval, "__pkvm_load_tracing"))
    return injected(fault);
  static_assert(sizeof(Page) == page_size);
  if (page_count_ != 0) return error(Errno::ebusy);
  // The host shares this page and may change it meanwhile.
  const std::uint64_t pages = descriptor.pages;
  if (pages < 3 || pages > pkvm::trace::max_pages) return error(Errno::einval);
  for (std::uint64_t i = 0; i < pages; ++i) {
    const HypVa va = linear.hyp_va(pa_of(Pfn{descriptor.frame[i]}));
    const Status pinned = ownership.pin_shared(va, va + page_size);
    if (!pinned) {
      teardown(ownership, linear);
      return pinned;
    }
    pages_[page_count_++] = fw::object_at<Page>(va);
  }
  reset();
  return {};
}

void TraceRing::teardown(Ownership& ownership, const LinearMap& /*linear*/) {
  enabled_ = false;
  for (; page_count_ != 0; --page_count_) {
    const HypVa va{reinterpret_cast<std::uint64_t>(pages_[page_count_ - 1])};
    ownership.unpin_shared(va, va + page_size);
  }
}

void TraceRing::reset() {
  if (page_count_ == 0) return;
  filled_count_ = 0;
  free_count_ = 0;
  reading_ = none;
  reserved_ = 0;
  for (std::size_t i = 0; i < page_count_; ++i)
    free_[free_count_++] = static_cast<Index>(i);
  writing_ = free_[--free_count_];
  filling_[writing_] = {};
  publish(writing_);
}

Status TraceRing::enable(bool on) {
  if (page_count_ == 0) return error(Errno::einval);
  enabled_ = on;
  return {};
}

std::optional<TraceRing::Index> TraceRing::take_filled() {
  if (filled_count_ == 0) return std::nullopt;
  const Index oldest = filled_[0];
  std::copy(filled_.begin() + 1, filled_.begin() + filled_count_, filled_.begin());
  --filled_count_;
  return oldest;
}

void TraceRing::publish(Index index) const {
  page(index).header = {.used = filling_[index].used, .lost = filling_[index].lost};
}

/// The page that is full joins the filled ones; without a free page the oldest of these is lost,
/// which leaves a gap before what is the oldest then.
void TraceRing::start_page() {
  filled_[filled_count_++] = writing_;
  std::uint32_t lost = 0;
  if (free_count_ != 0) {
    writing_ = free_[--free_count_];
  } else {
    writing_ = *take_filled();
    lost = filling_[writing_].lost + filling_[writing_].entries;
  }
  filling_[writing_] = {};
  publish(writing_);
  if (lost == 0) return;
  filling_[filled_[0]].lost += lost;
  publish(filled_[0]);
}

std::byte* TraceRing::reserve(std::uint64_t size) {
  constexpr std::uint64_t room = sizeof(Page::entries);
  if (!enabled_ || size == 0 || size > room || entry_size(size) > room) return nullptr;
  if (filling_[writing_].used + entry_size(size) > room) start_page();
  reserved_ = static_cast<std::uint32_t>(size);
  return page(writing_).entries + filling_[writing_].used + sizeof(EntryHeader);
}

void TraceRing::commit() {
  if (reserved_ == 0 || page_count_ == 0) return;
  Filling& own = filling_[writing_];
  auto* const header = reinterpret_cast<EntryHeader*>(page(writing_).entries + own.used);
  *header = {.size = reserved_, .reserved = 0};
  own.used += static_cast<std::uint32_t>(entry_size(reserved_));
  ++own.entries;
  reserved_ = 0;
  publish(writing_);
}

Expected<std::uint64_t> TraceRing::swap_reader() {
  if (page_count_ == 0) return error(Errno::enoent);
  if (reading_ != none) free_[free_count_++] = reading_;
  reading_ = none;
  if (filled_count_ == 0 && filling_[writing_].used != 0) start_page();
  const std::optional<Index> oldest = take_filled();
  if (!oldest) return error(Errno::enoent);
  reading_ = *oldest;
  return reading_;
}

}  // namespace pkvmemu::hyp
