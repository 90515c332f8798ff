// SPDX-License-Identifier: GPL-2.0-only
// Errors inside the hypervisor, which become negative Linux numbers in x1 at its edge.
#pragma once

#include <cstdint>
#include <expected>

#include "lib/arch.h"
#include "lib/fault.h"
#include "pkvm/errno.h"

namespace pkvmemu::hyp {

using pkvm::Errno;

template <typename T>
using Expected = std::expected<T, Errno>;
using Status = std::expected<void, Errno>;

constexpr std::unexpected<Errno> error(Errno number) {
  return std::unexpected(number);
}

/// What a fault site answered (lib/fault.h), as an error.
constexpr std::unexpected<Errno> injected(fw::Fault fault) {
  return error(static_cast<Errno>(-fault.answer));
}

/// 0 or -errno.
constexpr int to_int(const Status& status) {
  return status ? 0 : pkvm::negated(status.error());
}

/// A condition that only a bug of ours, or what the kernel's WARN calls fatal, can break.
inline void check(bool condition) {
  if (!condition) [[unlikely]]
    arch::bug();
}

}  // namespace pkvmemu::hyp
