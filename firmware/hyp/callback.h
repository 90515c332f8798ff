// SPDX-License-Identifier: GPL-2.0-only
// A function of a module that the hypervisor calls: the word before it is compared by hand first
// (cfi.h). An empty one is what a NULL pointer registers.
#pragma once

#include <cstdint>

#include "hyp/cfi.h"
#include "lib/address_cast.h"
#include "support/address.h"

namespace pkvmemu::hyp {

template <typename Signature>
class Callback;

template <typename Result, typename... Arguments>
class Callback<Result(Arguments...)> {
 public:
  constexpr Callback() = default;
  /// `hash`: what stands before the function; 0 for no check.
  constexpr Callback(HypVa function, std::uint32_t hash) : function_(function), hash_(hash) {}

  constexpr explicit operator bool() const { return function_.value != 0; }
  constexpr HypVa address() const { return function_; }
  Result operator()(Arguments... arguments) const {
    check_callee(function_, hash_);
    return fw::function_at<Result(Arguments...)>(function_)(arguments...);
  }

 private:
  HypVa function_{0};
  std::uint32_t hash_ = 0;
};

}  // namespace pkvmemu::hyp
