// SPDX-License-Identifier: GPL-2.0-only
#include "conformance/memory/page_scan.h"

#include <cstring>
#include <stdexcept>

#include "modules/memory/operations.h"
#include "pkvm/event.h"
#include "pkvm/platform.h"

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

std::vector<std::uint64_t> PageScan::frames_of_both() const {
  std::vector<std::uint64_t> frames;
  const std::uint64_t end = pkvm::platform::ram_base + pkvm::platform::default_ram_size;
  for (Pa pa{pkvm::platform::ram_base}; pa < Pa{end}; pa = pa + page_size)
    if (host_may(pa, AccessKind::read) && hyp_may(pa, AccessKind::read))
      frames.push_back(pa.value / page_size);
  return frames;
}

}  // namespace pkvmemu::test
