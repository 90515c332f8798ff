// SPDX-License-Identifier: GPL-2.0-only
#include "host/stubs.h"

#include <array>

#include "host/asm_constants.h"
#include "host/console.h"
#include "host/events.h"

#pragma GCC visibility push(hidden)
extern "C" const char unresolved_stubs[];
#pragma GCC visibility pop

namespace pkvmemu::host {

namespace {

constinit bool enabled = false;
constinit std::array<std::string_view, STUB_COUNT> names{};
constinit std::size_t used = 0;

}  // namespace

/// From stubs.S: which stub was called, and where it returns to. The answer goes to the caller.
extern "C" std::uint64_t report_stub(std::uint64_t index, std::uint64_t caller) {
  const std::string_view name = names[index];
  printk("stub: %.*s() called from %pS, answers 0\n", static_cast<int>(name.size()), name.data(),
         reinterpret_cast<void*>(caller));
  events().emit(pkvm::event::Kind::stub_used, {caller}, name);
  return 0;
}

void enable_stubs() {
  enabled = true;
}

std::optional<std::uint64_t> stub_address(std::string_view symbol) {
  if (!enabled) return std::nullopt;
  std::size_t index = 0;
  while (index < used && names[index] != symbol)
    ++index;
  if (index == names.size()) return std::nullopt;
  if (index == used) names[used++] = symbol;
  return reinterpret_cast<std::uint64_t>(unresolved_stubs) + index * STUB_SIZE;
}

}  // namespace pkvmemu::host
