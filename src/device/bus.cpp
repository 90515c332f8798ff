// SPDX-License-Identifier: GPL-2.0-only
#include "device/bus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "support/bits.h"

namespace pkvmemu::device {

void Bus::attach(Pa base, std::uint64_t size, Device& device, std::string_view name) {
  assert(is_aligned(base.value, page_size) && is_aligned(size, page_size));
  assert(std::ranges::none_of(attachments_, [&](const Attachment& other) {
    return base < other.base + other.size && other.base < base + size;
  }));
  attachments_.push_back({.base = base, .size = size, .device = &device, .name = name});
}

Result<void> Bus::connect(cpu::Cpu& cpu) const {
  for (const Attachment& attachment : attachments_) {
    const auto mapped = cpu.map_mmio(attachment.base, attachment.size, *attachment.device);
    if (!mapped) return fail("{}: {}", attachment.name, mapped.error().message);
  }
  return {};
}

}  // namespace pkvmemu::device
