// SPDX-License-Identifier: GPL-2.0-only
#include "host/await.h"

#include <array>
#include <cstdint>

#include "host/events.h"
#include "host/memory.h"
#include "lib/arch.h"
#include "lib/string.h"

namespace pkvmemu::host {

namespace {

// In one page, so that it has one physical address.
constexpr std::size_t line_room = 1024;
alignas(line_room) constinit std::array<char, line_room> line{};

}  // namespace

std::string_view awaited_line(WishPhase phase) {
  line.front() = '\0';
  const auto pa = physical_address(reinterpret_cast<std::uint64_t>(line.data()));
  if (!pa) return {};
  const bool is_early = phase == WishPhase::early;
  events().emit(pkvm::event::Kind::awaiting, {pa->value, line.size(), is_early ? 0ULL : 1ULL});
  // A machine stops where the straight code that reported ends: nothing is read before that.
  pkvmemu::arch::isb();
  return {line.data(), fw::string_length(line.data(), line.size())};
}

}  // namespace pkvmemu::host
