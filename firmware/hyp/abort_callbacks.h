// SPDX-License-Identifier: GPL-2.0-only
// Functions that modules registered for aborts of the host, in the order of registration; never
// removed (pkvm-abi.md 1.6). Each carries the kCFI word that has to stand before it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

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
  std::span<const AbortCallback> all() const {
    return {rows_.data(), __atomic_load_n(&count_, __ATOMIC_ACQUIRE)};
  }

 private:
  std::array<AbortCallback, Capacity> rows_{};
  unsigned count_ = 0;
  fw::Spinlock lock_;
};

}  // namespace pkvmemu::hyp
