// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/call_path.h"

#include <array>
#include <cstring>
#include <optional>

#include "support/bits.h"

namespace pkvmemu::symbols {
namespace {

constexpr unsigned frame_register = 29;
constexpr unsigned link_register = 30;
constexpr std::size_t most_frames = 64;

struct Frame {
  std::uint64_t next = 0;
  std::uint64_t return_address = 0;
};

/// Without a signature (PAC): bit 55 says which half of the address space it is in.
Va without_signature(std::uint64_t address) {
  constexpr unsigned half = 55;
  constexpr std::uint64_t signature = ~low_mask(48);
  return Va{(address & bit(half)) != 0 ? address | signature : address & ~signature};
}

std::optional<Frame> frame_at(const machine::Machine& machine, Va va) {
  constexpr std::uint64_t alignment = 8;
  if (va.value % alignment != 0 || page_size - va.value % page_size < sizeof(Frame))
    return std::nullopt;
  const auto pa = machine.physical(va);
  if (!pa) return std::nullopt;
  const auto bytes = machine.memory(*pa, sizeof(Frame));
  if (!bytes) return std::nullopt;
  Frame frame;
  std::memcpy(&frame, bytes->data(), sizeof(frame));
  return frame;
}

}  // namespace

std::vector<Va> call_path(const machine::Machine& machine) {
  std::vector<Va> path = {Va{machine.pc()}};
  if (const Va link = without_signature(machine.x(link_register)); link.value != 0)
    path.push_back(link);
  Va at{machine.x(frame_register)};
  while (path.size() < most_frames) {
    const auto frame = frame_at(machine, at);
    if (!frame || frame->return_address == 0) break;
    if (const Va caller = without_signature(frame->return_address); caller != path.back())
      path.push_back(caller);
    if (frame->next <= at.value) break;  // stacks grow down: no circles
    at = Va{frame->next};
  }
  return path;
}

}  // namespace pkvmemu::symbols
