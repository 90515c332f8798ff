// SPDX-License-Identifier: GPL-2.0-only
// Functions that modules registered for aborts of the host, in the order of registration
// (pkvm-abi.md 1.6); those of a module whose init failed go with it (registrations.h). Each carries
// the kCFI word that has to stand before it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "hyp/module_range.h"
#include "hyp/status.h"
#include "lib/spinlock.h"
#include "support/address.h"

namespace pkvmemu::hyp {

struct AbortCallback {
  HypVa function{0};
  std::uint32_t hash = 0;  ///< 0: the module carries no hashes
};

template <unsigned Capacity>
class AbortCallbackList {
 public:
  /// -EBUSY when `limit` are registered. NULL takes no room.
  Status add(AbortCallback callback, unsigned limit = Capacity) {
    const fw::LockGuard guard(lock_);
    if (count_ >= limit || count_ == Capacity) return error(Errno::ebusy);
    if (callback.function.value == 0) return {};
    rows_[count_] = callback;
    __atomic_store_n(&count_, count_ + 1, __ATOMIC_RELEASE);
    return {};
  }
  bool has_any_of(const ModuleRange& module) const {
    return std::ranges::any_of(
        all(), [&](const AbortCallback& row) { return module.contains(row.function); });
  }
  void remove_all_of(const ModuleRange& module) {
    const fw::LockGuard guard(lock_);
    const auto end =
        std::remove_if(rows_.begin(), rows_.begin() + count_,
                       [&](const AbortCallback& row) { return module.contains(row.function); });
    __atomic_store_n(&count_, static_cast<unsigned>(end - rows_.begin()), __ATOMIC_RELEASE);
  }
  std::span<const AbortCallback> all() const {
    return {rows_.data(), __atomic_load_n(&count_, __ATOMIC_ACQUIRE)};
  }

 private:
  std::array<AbortCallback, Capacity> rows_{};
  unsigned count_ = 0;
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
