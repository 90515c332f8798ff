// SPDX-License-Identifier: GPL-2.0-only
// A spinlock for guest code. Lock order at EL2: host stage 2, then hyp stage 1, then leaves
// (pkvm-abi.md 7.5).
#pragma once

#include <cstdint>

namespace pkvmemu::fw {

class Spinlock {
 public:
  void lock() {
    while (__atomic_exchange_n(&taken_, 1U, __ATOMIC_ACQUIRE) != 0) {
    }
  }
  void unlock() { __atomic_store_n(&taken_, 0U, __ATOMIC_RELEASE); }

 private:
  std::uint32_t taken_ = 0;
};

/// Holds the lock for a scope.
class LockGuard {
 public:
  explicit LockGuard(Spinlock& lock) : lock_(lock) { lock_.lock(); }
  ~LockGuard() { lock_.unlock(); }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;
  LockGuard(LockGuard&&) = delete;
  LockGuard& operator=(LockGuard&&) = delete;

 private:
  Spinlock& lock_;
};

}  // namespace pkvmemu::fw
