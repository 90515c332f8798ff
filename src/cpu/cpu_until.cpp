// SPDX-License-Identifier: GPL-2.0-only
// Stopping exactly where Until says. The block hook sees it coming; where it lies in the middle of
// a block, that block is translated anew with a hook there (split_block in cpu.cpp).
#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/engine.h"

namespace pkvmemu::cpu {

void Cpu::set_until(const Until& until) {
  until_ = until;
  stop_at_block_ = false;
  watch_blocks();
}

void Cpu::watch_blocks() noexcept {
  const bool all = until_.place || stop_at_block_;
  watched_from_ = all ? 0 : std::min(budget_, until_.instructions.value_or(budget_));
}

void Cpu::stop_at_block() noexcept {
  stop_at_block_ = true;
  watch_blocks();
}

/// The instruction of the block that is about to begin before which the run has to stop.
std::optional<std::uint64_t> Cpu::target_in(std::uint64_t address, std::uint64_t count) noexcept {
  hit_counted_ = false;
  if (until_.instructions && instructions_ + count > *until_.instructions)
    return address + (*until_.instructions - instructions_) * 4;
  if (!until_.place) return std::nullopt;
  Until::Place& place = *until_.place;
  if (place.pc < address || place.pc >= address + count * 4) return std::nullopt;
  if (place.el && *place.el != el()) return std::nullopt;
  if (place.hits <= 1) return place.pc;
  --place.hits;
  hit_counted_ = true;
  return std::nullopt;
}

/// The block that was begun last has been left by an exception.
void Cpu::uncount_hit(std::uint64_t left_at) noexcept {
  if (hit_counted_ && left_at <= until_.place->pc) ++until_.place->hits;
  hit_counted_ = false;
}

bool Cpu::splits_at(std::uint64_t address) const noexcept {
  if (!split_ || split_->at != address) return false;
  const bool by_count = until_.instructions && instructions_at(address) == *until_.instructions;
  const bool by_place = until_.place && until_.place->pc == address &&
                        (!until_.place->el || *until_.place->el == el());
  return by_count || by_place;
}

void Cpu::on_split(std::uint64_t address) noexcept {
  if (!splits_at(address)) return;
  drop_tail(address);
  paused_at_ = address;
  end(StopReason::reached);
}

/// Where the engine does not find the block again, what was translated with the hook in it stays,
/// and the hook does nothing.
void Cpu::join_block() {
  if (split_hook_ != 0) Engine::check(uc_hook_del(engine_->raw(), split_hook_));
  split_hook_ = 0;
  split_.reset();
}

}  // namespace pkvmemu::cpu
