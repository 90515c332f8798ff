// SPDX-License-Identifier: GPL-2.0-only
// The trace events that modules have (pkvm-abi.md 2.8): ranges of hyp_event_id records in their
// .hyp.event_ids, each with a pointer to its enable flag. The host numbers them and switches them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "hyp/hyp_space.h"
#include "hyp/module_range.h"
#include "hyp/status.h"
#include "lib/spinlock.h"
#include "pkvm/generation.h"

namespace pkvmemu::hyp {

/// How many modules' ranges a generation takes.
constexpr std::size_t event_ranges(pkvm::Generation id) {
  constexpr std::array<std::size_t, pkvm::generation_count> rows = {0, 128, 16};
  return rows[static_cast<std::size_t>(id)];
}

class HypEvents {
 public:
  /// -ENOMEM when `limit` ranges are there.
  Status add(HypVa begin, HypVa end, std::size_t limit);

  bool has_any_of(const ModuleRange& module) const {
    return std::any_of(ranges_.begin(), ranges_.begin() + count_,
                       [&](const Range& range) { return module.contains(range.begin); });
  }
  void remove_all_of(const ModuleRange& module) {
    const fw::LockGuard guard(lock_);
    auto* const end =
        std::remove_if(ranges_.begin(), ranges_.begin() + count_,
                       [&](const Range& range) { return module.contains(range.begin); });
    count_ = static_cast<std::size_t>(end - ranges_.begin());
  }

  /// Sets the flag of event `id`: through the CPU's fixmap, since the flag's own mapping may be
  /// read-only. -EINVAL for an id that nobody has.
  Status enable(std::uint16_t id, bool on, HypSpace& space, unsigned cpu) const;
  /// pKVM's own event, tracing_mod_hyp_printk's.
  bool printk_enabled() const { return printk_enabled_; }
  void enable_printk(bool on) { printk_enabled_ = on; }

 private:
  static constexpr std::size_t max_ranges = 128;
  struct Range {
    HypVa begin{0};
    HypVa end{0};
  };

  std::array<Range, max_ranges> ranges_{};
  std::size_t count_ = 0;
  bool printk_enabled_ = false;
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
