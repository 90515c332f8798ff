// SPDX-License-Identifier: GPL-2.0-only
// What a successful walk found, what a TLB fill may be granted from it, and PAR_EL1.
#pragma once

#include <cstdint>
#include <expected>

#include "mmu/access.h"
#include "mmu/fault.h"
#include "support/address.h"

namespace pkvmemu::mmu {

/// One translated address and the leaf it came from. `Output` is Pa, or Ipa after stage 1 alone.
template <typename Output>
struct Mapping {
  Output output{};            ///< of the address asked for, low bits included
  std::uint64_t size = 0;     ///< bytes of the leaf; of the smaller one when two stages translate
  std::uint8_t level = 3;     ///< of that leaf
  Permissions permissions{};  ///< for the privilege that asked
  MemoryAttributes attributes{};
};

using Translation = Mapping<Pa>;

template <typename Output>
using WalkResult = std::expected<Mapping<Output>, Fault>;

/// What to put into a virtual TLB for an access that translated.
/// - WRITE only on a write access: the first store must come back, it marks the page dirty.
/// - EXEC when the page may be executed (or execute-never would never be looked at again), but
/// never
///   beside WRITE: such entries make stores slow, and a fetch after the store simply fills anew.
constexpr Permissions fill_permissions(Permissions allowed, AccessKind kind) {
  const bool store = kind == AccessKind::write;
  return {
      .read = allowed.read, .write = store && allowed.write, .execute = !store && allowed.execute};
}

/// PAR_EL1 after an address translation instruction with this outcome (Arm ARM, PAR_EL1).
std::uint64_t encode_par(const Fault& fault);
std::uint64_t encode_par(std::uint64_t output, MemoryAttributes attributes);

template <typename Output>
std::uint64_t encode_par(const WalkResult<Output>& result) {
  if (!result) return encode_par(result.error());
  return encode_par(result->output.value, result->attributes);
}

}  // namespace pkvmemu::mmu
