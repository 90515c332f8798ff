// SPDX-License-Identifier: GPL-2.0-only
// What the hypervisor keeps about a guest's FF-A (guest_ffa.h).
#pragma once

#include <cstdint>
#include <span>

#include "support/address.h"

namespace pkvmemu::hyp {

/// Memory that a guest has given, on the hypervisor's heap. Its pages follow.
struct FfaTransfer {
  FfaTransfer* next = nullptr;
  std::uint64_t handle = 0;
  std::uint64_t pages = 0;

  std::span<Ipa> list() { return {reinterpret_cast<Ipa*>(this + 1), pages}; }
  std::span<const Ipa> list() const { return {reinterpret_cast<const Ipa*>(this + 1), pages}; }
};

struct GuestFfa {
  explicit GuestFfa(std::uint64_t allowed_by_host) : is_allowed(allowed_by_host != 0) {}

  bool is_allowed;
  bool has_buffers = false;
  Ipa tx{0};
  Ipa rx{0};
  FfaTransfer* transfers = nullptr;

  /// Whether the page is a buffer, or with the secure world.
  bool holds(Ipa page) const;
  FfaTransfer* find(std::uint64_t handle) const;
};

}  // namespace pkvmemu::hyp
