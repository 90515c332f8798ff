// SPDX-License-Identifier: GPL-2.0-only
// How a walker sees memory: one 64-bit little-endian descriptor at a physical address, or nothing
// when the address answers with an external abort. A reference to any callable of that shape; it
// does not own the callable, which must outlive it, and it never allocates: walks are the slow half
// of every TLB fill.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>

#include "support/address.h"

namespace pkvmemu::mmu {

using Descriptor = std::uint64_t;

class TableReader {
 public:
  template <typename Callable>
    requires std::is_invocable_r_v<std::optional<Descriptor>, Callable&, Pa> &&
                 (!std::same_as<std::remove_cv_t<Callable>, TableReader>)
  // Implicit on purpose: a lambda is what callers have in hand.
  constexpr TableReader(Callable& callable)  // NOLINT(google-explicit-constructor)
      : object_(const_cast<std::remove_const_t<Callable>*>(std::addressof(callable))),
        call_([](void* object, Pa pa) -> std::optional<Descriptor> {
          return (*static_cast<Callable*>(object))(pa);
        }) {}

  std::optional<Descriptor> operator()(Pa pa) const { return call_(object_, pa); }

 private:
  void* object_;
  std::optional<Descriptor> (*call_)(void*, Pa);
};

}  // namespace pkvmemu::mmu
