// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/payloads.h"

#include <array>

// payloads.S
// NOLINTBEGIN(readability-identifier-naming, modernize-avoid-c-arrays)
extern "C" {
#define PKVM_PAYLOAD(name)                         \
  extern const std::byte payload_##name##_begin[]; \
  extern const std::byte payload_##name##_end[];
#define PKVM_PAYLOADS(X) \
  X(hello)               \
  X(answers)             \
  X(calls) X(compute) X(exits) X(ffa) X(registers) X(secret) X(share) X(trespass) X(smp) X(traps)
PKVM_PAYLOADS(PKVM_PAYLOAD)
}
// NOLINTEND(readability-identifier-naming, modernize-avoid-c-arrays)

namespace pkvmemu::host {

std::optional<std::span<const std::byte>> builtin_payload(std::string_view name) {
#define PKVM_FIND(candidate) \
  if (name == #candidate)    \
    return std::span<const std::byte>(payload_##candidate##_begin, payload_##candidate##_end);
  PKVM_PAYLOADS(PKVM_FIND)
  return std::nullopt;
}

}  // namespace pkvmemu::host
