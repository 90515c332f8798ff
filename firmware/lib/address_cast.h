// SPDX-License-Identifier: GPL-2.0-only
// From a number to the memory or function behind it: the one place where guest code does that, so
// that a search finds each use by name.
#pragma once

#include "support/address.h"

namespace pkvmemu::fw {

/// The object at an EL2 address.
template <typename Type>
Type* object_at(HypVa va) {
  return reinterpret_cast<Type*>(va.value);  // NOLINT(performance-no-int-to-ptr)
}

/// The function at an EL2 address: function_at<void(char)>(va)('x').
template <typename Signature>
Signature* function_at(HypVa va) {
  return reinterpret_cast<Signature*>(va.value);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace pkvmemu::fw
