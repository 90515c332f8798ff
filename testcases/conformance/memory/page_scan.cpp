// SPDX-License-Identifier: GPL-2.0-only
#include "conformance/memory/page_scan.h"

#include <cstring>
#include <stdexcept>

#include "modules/memory/operations.h"
#include "pkvm/event.h"
#include "pkvm/platform.h"
#include "support/bits.h"

namespace pkvmemu::test {
namespace {

using mmu::AccessKind;
using pkvm::event::Kind;

tool::RcLine call(memory_operation operation) {
  return {.verb = tool::RcVerb::call,
          .target = "memory_hvc",
          .args = {static_cast<std::uint64_t>(operation), 0}};
}

}  // namespace

std::vector<tool::RcLine> PageScan::first_calls() {
  return {call(MEMORY_STAGE2), call(MEMORY_STAGE1), call(MEMORY_LINEAR)};
}

PageScan::PageScan(machine::Machine& machine)
    : reader_([&machine](Pa pa) -> std::optional<std::uint64_t> {
        const auto bytes = machine.memory(pa, sizeof(std::uint64_t));
        if (!bytes) return std::nullopt;
        std::uint64_t value = 0;
        std::memcpy(&value, bytes->data(), sizeof(value));
        return value;
      }) {
  std::size_t calls = 0;
  for (const machine::Event& event : machine.events()) {
    if (event.from_hyp || event.record.kind != Kind::call_end) continue;
    const auto& v = event.record.value;
    if (calls == 0) stage2_ = {.hcr = v[3], .vtcr = v[2], .vttbr = v[1]};
    if (calls == 1) stage1_ = {.sctlr = v[3], .tcr = v[2], .ttbr0 = v[1], .mair = v[4]};
    if (calls == 2) linear_offset_ = v[1] - v[2];
    ++calls;
  }
  if (calls < first_calls().size()) throw std::runtime_error("no calls for a scan of the tables");
}

mmu::WalkContext PageScan::context() const {
  return {.memory = reader_, .features = {.xnx = true}};
}

bool PageScan::host_may(Pa pa, AccessKind kind) const {
  const auto found = mmu::translate(stage2_, Ipa{pa.value}, {.kind = kind}, context());
  return found && found->output == pa;
}

bool PageScan::hyp_may(Pa pa, AccessKind kind) const {
  const auto found =
      mmu::translate(stage1_, Va{pa.value + linear_offset_}, {.kind = kind}, context());
  return found && found->output == pa;
}

bool PageScan::host_would_get(Pa pa) const {
  constexpr unsigned bits_per_level = 9, last_level = 3;
  const auto t0sz = static_cast<unsigned>(bits(stage2_.vtcr, 5, 0));
  // Arm ARM D8.2.4: VTCR_EL2.SL0 with 4 KiB pages.
  auto level = static_cast<unsigned>(2 - bits(stage2_.vtcr, 7, 6));
  std::uint64_t table = stage2_.vttbr & low_mask(48) & ~std::uint64_t{1};
  std::uint64_t offset = pa.value & low_mask(64 - t0sz);  // the first table may be several in a row
  while (true) {
    const unsigned shift = page_shift + (bits_per_level * (last_level - level));
    const auto entry = reader_(Pa{table + ((offset >> shift) * sizeof(std::uint64_t))});
    if (!entry || *entry == 0) return entry.has_value();
    const bool is_table = (*entry & 3) == 3 && level != last_level;
    if (!is_table) return false;
    table = *entry & low_mask(48) & ~low_mask(page_shift);
    offset &= low_mask(shift);
    ++level;
  }
}

std::vector<std::uint64_t> PageScan::frames_of_both() const {
  return unclear_frames(pkvm::platform::default_ram_size).both;
}

PageScan::Unclear PageScan::unclear_frames(std::uint64_t ram_size) const {
  Unclear found;
  const Pa end{pkvm::platform::ram_base + ram_size};
  for (Pa pa{pkvm::platform::ram_base}; pa < end; pa = pa + page_size) {
    const bool host = host_may(pa, AccessKind::read) || host_would_get(pa);
    if (host != hyp_may(pa, AccessKind::read)) continue;
    (host ? found.both : found.neither).push_back(pa.value / page_size);
  }
  return found;
}

}  // namespace pkvmemu::test
