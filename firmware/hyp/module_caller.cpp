// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/module_caller.h"

#include "hyp/hypervisor.h"
#include "lib/address_cast.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

struct FrameRecord {
  std::uint64_t next;
  std::uint64_t return_address;
};

bool in_module(std::uint64_t address) {
  return hypervisor().modules.range_of(HypVa{address}).end.value != 0;
}

std::uint64_t without_signature(std::uint64_t address) {
  return address & low_mask(48);
}

}  // namespace

std::uint64_t physical_of(std::uint64_t va) {
  Hypervisor& hyp = hypervisor();
  if (!hyp.space || !hyp.space->table().covers({va, va + 1})) return 0;
  const Leaf leaf = hyp.space->table().leaf(va);
  if (!is_valid(leaf.descriptor)) return 0;
  return address_of(leaf.descriptor).value + (va % level_size(leaf.level));
}

std::uint64_t module_caller(std::uint64_t link, std::uint64_t frame) {
  constexpr unsigned most_frames = 32;
  std::uint64_t address = without_signature(link);
  for (unsigned i = 0; i < most_frames && !in_module(address); ++i) {
    if (frame % sizeof(FrameRecord) != 0 || physical_of(frame) == 0) return 0;
    const auto& record = *fw::object_at<const FrameRecord>(HypVa{frame});
    address = without_signature(record.return_address);
    frame = record.next;
  }
  return in_module(address) ? address : 0;
}

}  // namespace pkvmemu::hyp
