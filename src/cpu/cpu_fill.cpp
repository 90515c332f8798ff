// SPDX-License-Identifier: GPL-2.0-only
// Filling the engine's virtual TLB from our walkers. The engine asks once for each KiB of address
// space, and again for the first store.
#include <algorithm>
#include <cstring>

#include "cpu/cpu.h"
#include "cpu/engine.h"

namespace pkvmemu::cpu {
namespace {

constexpr unsigned tlb_page_bits = 10;
constexpr std::uint64_t tlb_page_size = bit(tlb_page_bits);

std::size_t fetch_slot(std::uint64_t page, unsigned el, std::size_t slots) {
  return (page ^ el << 7) & (slots - 1);
}

mmu::El2Regime el2_regime(const Engine& engine) {
  return {.sctlr = engine.get(reg::sctlr_el2),
          .tcr = engine.get(reg::tcr_el2),
          .ttbr0 = engine.get(reg::ttbr0_el2),
          .mair = engine.get(reg::mair_el2)};
}

mmu::El1Regime el1_regime(const Engine& engine, std::uint32_t state) {
  return {.stage1 = {.sctlr = engine.get(reg::sctlr_el1),
                     .tcr = engine.get(reg::tcr_el1),
                     .ttbr0 = engine.get(reg::ttbr0_el1),
                     .ttbr1 = engine.get(reg::ttbr1_el1),
                     .mair = engine.get(reg::mair_el1),
                     .pan = (state & pstate::pan) != 0},
          .stage2 = {.hcr = engine.get(reg::hcr_el2),
                     .vtcr = engine.get(reg::vtcr_el2),
                     .vttbr = engine.get(reg::vttbr_el2)}};
}

}  // namespace

const Cpu::Ram* Cpu::ram_at(Pa pa) const {
  const auto found = std::ranges::find_if(
      ram_, [pa](const Ram& ram) { return pa >= ram.base && pa - ram.base < ram.memory.size(); });
  return found == ram_.end() ? nullptr : &*found;
}

bool Cpu::is_device(Pa pa) const {
  return std::ranges::any_of(windows_, [pa](const Window& window) {
    return pa >= window.base && pa - window.base < window.size;
  });
}

/// Tables may lie in RAM only; a device as a table answers like nothing at all.
std::optional<std::uint64_t> Cpu::read_table(Pa pa) const {
  const Ram* ram = ram_at(pa);
  if (ram == nullptr || ram->memory.size() - (pa - ram->base) < sizeof(std::uint64_t))
    return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, ram->memory.data() + (pa - ram->base), sizeof(value));
  return value;
}

mmu::WalkResult<Pa> Cpu::walk(Va va, mmu::AccessKind kind, std::uint32_t state) const {
  const auto read = [this](Pa pa) { return read_table(pa); };
  const mmu::WalkContext context{.memory = read, .features = {.xnx = true}};
  const unsigned level = pstate::el(state);
  const mmu::Access access{
      .kind = kind,
      .privilege = level == 0 ? mmu::Privilege::unprivileged : mmu::Privilege::privileged};
  if (level >= 2) return mmu::translate(el2_regime(*engine_), va, access, context);
  return mmu::translate(el1_regime(*engine_, state), va, access, context);
}

std::optional<Pa> Cpu::physical(Va va) const {
  const auto mapping = walk(va, mmu::AccessKind::read, engine_->pstate());
  if (!mapping) return std::nullopt;
  return mapping->output;
}

/// The engine masks `va` to its granule. A refusal is kept: the engine returns from its loop, and
/// the exception is taken there.
bool Cpu::fill(std::uint64_t va, mmu::AccessKind kind, void* entry) noexcept {
  if (identity_) [[unlikely]] {
    *static_cast<uc_tlb_entry*>(entry) = {.paddr = va, .perms = UC_PROT_EXEC};
    return true;
  }
  const std::uint32_t state = engine_->pstate();
  const auto refuse = [&](std::optional<mmu::Fault> fault) {
    refusal_ = Refusal{.kind = kind, .masked_va = va, .fault = fault};
    return false;
  };
  const mmu::WalkResult<Pa> result = walk(Va{va}, kind, state);
  if (!result) return refuse(result.error());

  const bool in_ram = ram_at(result->output) != nullptr;
  if (!in_ram && (kind == mmu::AccessKind::execute || !is_device(result->output)))
    return refuse(std::nullopt);

  mmu::Permissions granted = mmu::fill_permissions(result->permissions, kind);
  // A page that is only read stays to be asked for at its first fetch: with the MMU off every page
  // may be executed, and those that hold code are few (code_pages.h).
  granted.execute = granted.execute && in_ram && kind == mmu::AccessKind::execute;
  if (granted.execute) remember_fetch(va, pstate::el(state), result->output);
  // Refused without a word when the page needs another name first: the run loop sees to it.
  const auto name = granted.execute ? fetched(result->output) : result->output;
  if (!name) return false;
  auto& answer = *static_cast<uc_tlb_entry*>(entry);
  answer.paddr = name->value;
  if (granted.write && in_ram) {
    code_pages_.written(result->output);
    if (store_watch_ != nullptr) store_watch_->about_to_store(result->output);
  }
  answer.perms =
      static_cast<uc_prot>((granted.read ? UC_PROT_READ : 0) | (granted.write ? UC_PROT_WRITE : 0) |
                           (granted.execute ? UC_PROT_EXEC : 0));
  return true;
}

std::optional<Pa> Cpu::fetched(Pa pa) {
  const Pa base{align_down(pa.value, page_size)};
  const Ram* ram = ram_at(base);
  return code_pages_.fetched(pa, ram->memory.subspan(base - ram->base).first<page_size>());
}

/// Only pages in RAM: RAM starts and ends on a page boundary, so all of the page is there.
void Cpu::remember_fetch(std::uint64_t va, unsigned el, Pa pa) {
  const Pa base{align_down(pa.value, tlb_page_size)};
  const Ram* ram = ram_at(base);
  const std::uint64_t page = va >> tlb_page_bits;
  fetch_pages_[fetch_slot(page, el, fetch_pages_.size())] = {
      .page = page, .el = el, .bytes = ram->memory.data() + (base - ram->base)};
}

std::optional<std::uint32_t> Cpu::instruction_at(std::uint64_t pc, unsigned el) const {
  if (const auto word = fetched_at(pc, el)) return word;
  const auto walked = walk(Va{pc}, mmu::AccessKind::execute, engine_->pstate());
  return walked ? word_at(walked->output) : std::nullopt;
}

std::optional<std::uint32_t> Cpu::fetched_at(std::uint64_t pc, unsigned el) const {
  const std::uint64_t page = pc >> tlb_page_bits;
  const FetchPage& cached = fetch_pages_[fetch_slot(page, el, fetch_pages_.size())];
  if (cached.page != page || cached.el != el) return std::nullopt;
  std::uint32_t word = 0;
  std::memcpy(&word, cached.bytes + (pc & (tlb_page_size - sizeof(word))), sizeof(word));
  return word;
}

std::optional<std::uint32_t> Cpu::word_at(Pa pa) const {
  const Ram* ram = ram_at(pa);
  if (ram == nullptr || ram->memory.size() - (pa - ram->base) < sizeof(std::uint32_t))
    return std::nullopt;
  std::uint32_t word = 0;
  std::memcpy(&word, ram->memory.data() + (pa - ram->base), sizeof(word));
  return word;
}

}  // namespace pkvmemu::cpu
