// SPDX-License-Identifier: GPL-2.0-only
// A value that start-up makes once and everybody uses afterwards. Using it before is a bug of ours
// and ends in arch::bug(), not in undefined behaviour.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "lib/arch.h"

namespace pkvmemu::fw {

template <typename Type>
class Late {
 public:
  constexpr Late() = default;

  template <typename... Arguments>
  Type& emplace(Arguments&&... arguments) {
    return value_.emplace(std::forward<Arguments>(arguments)...);
  }
  void reset() { value_.reset(); }
  explicit operator bool() const { return value_.has_value(); }

  Type& operator*() {
    if (!value_) [[unlikely]]
      arch::bug();
    return *value_;
  }
  Type* operator->() { return std::addressof(**this); }

 private:
  std::optional<Type> value_;
};

}  // namespace pkvmemu::fw
