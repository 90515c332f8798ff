// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/hyp_events.h"

#include "lib/address_cast.h"
#include "lib/fault.h"

namespace pkvmemu::hyp {

namespace {

/// struct hyp_event_id.
struct EventId {
  std::uint16_t id;
  std::uint64_t flag;  ///< hyp VA of an atomic_t
};
static_assert(sizeof(EventId) == 16 && offsetof(EventId, flag) == 8);

}  // namespace

Status HypEvents::add(HypVa begin, HypVa end, std::size_t limit) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.events.add", Errno::enomem,
                                               "a module's trace events are registered"))
    return injected(fault);
  const fw::LockGuard guard(lock_);
  if (count_ >= limit || count_ == max_ranges) return error(Errno::enomem);
  ranges_[count_++] = {.begin = begin, .end = end};
  return {};
}

Status HypEvents::enable(std::uint16_t id, bool on, HypSpace& space, unsigned cpu) const {
  for (std::size_t i = 0; i < count_; ++i) {
    for (HypVa at = ranges_[i].begin; at + sizeof(EventId) <= ranges_[i].end;
         at = at + sizeof(EventId)) {
      // A module that failed may have left its range (pkvm/quirk.h) and taken its pages.
      if (!space.is_mapped(at)) break;
      const auto& record = *fw::object_at<const EventId>(at);
      const HypVa flag{record.flag};
      if (record.id != id || !space.is_mapped(flag)) continue;
      const Pa frame = address_of(space.table().leaf(flag.value).descriptor);
      auto* const window =
          fw::object_at<std::uint32_t>(space.fixmap_map(cpu, frame + (flag.value % page_size)));
      __atomic_store_n(window, on ? 1U : 0U, __ATOMIC_RELAXED);
      space.fixmap_unmap(cpu);
      return {};
    }
  }
  return error(Errno::einval);
}

}  // namespace pkvmemu::hyp
