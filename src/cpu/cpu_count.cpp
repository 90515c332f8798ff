// SPDX-License-Identifier: GPL-2.0-only
// Counting instructions and keeping the budget, from the engine's block hook. A block is counted
// when it begins; what did not run of it is taken back when it is left early.
#include "cpu/cpu.h"
#include "cpu/engine.h"

namespace pkvmemu::cpu {
namespace {

// Arm ARM C6.2: ERET, ERETAA and ERETAB differ in bits 11:10 and 4:0.
constexpr std::uint32_t eret_mask = 0xffff'f000;
constexpr std::uint32_t eret = 0xd69f'0000;
constexpr std::optional<std::uint32_t> no_eret = 0;

}  // namespace

/// Of the blocks that go beyond `watched_from_`: whether it must not begin. One that has to be left
/// in its middle is stopped at too, until it is translated for that.
bool Cpu::ends_before(std::uint64_t address, std::uint64_t count) noexcept {
  if (stop_at_block_) {
    end_at_block(StopReason::reached, address);
    return true;
  }
  if (const auto target = target_in(address, count)) {
    if (*target == address) {
      end_at_block(StopReason::reached, address);
      return true;
    }
    if (split_ && split_->block == address && split_->at == *target) return false;
    split_ = Split{.block = address, .size = count * 4, .at = *target};
    pause(address);
    return true;
  }
  if (instructions_ + count <= budget_) return false;
  end_at_block(StopReason::budget_spent, address);
  return true;
}

/// The block that was about to begin does not, yet. The engine is not asked where it stands: once
/// there was a hook on an instruction it may name the block before.
void Cpu::pause(std::uint64_t address) noexcept {
  block_start_ = block_end_ = 0;
  paused_at_ = address;
  uc_emu_stop(engine_->raw());
}

/// The engine would fetch there all the same.
void Cpu::refuse_misaligned(std::uint64_t address) noexcept {
  if (counts_blocks_by_el_) account_block(0, block_end_);
  pause(address);
}

/// The block that was about to begin does not.
void Cpu::end_at_block(StopReason reason, std::uint64_t address) noexcept {
  pause(address);
  if (reason == StopReason::requested) stop_requested_.store(false, std::memory_order_relaxed);
  end(reason);
}

/// The first reason stands.
void Cpu::end(StopReason reason) noexcept {
  if (!stop_reason_) stop_reason_ = reason;
  uc_emu_stop(engine_->raw());
}

void Cpu::stop() noexcept {
  end(StopReason::board);
}

/// Between exceptions the level changes by ERET alone, so the engine, which is slow to ask, is
/// asked only where the block before ended in one, or cannot be read. `left_at` is where that was,
/// 0 when an exception came between.
void Cpu::account_block(std::uint64_t count, std::uint64_t left_at) noexcept {
  const auto last = left_at == 0 ? no_eret : fetched_at(left_at - 4, block_el_);
  const bool may_differ = !last || (*last & eret_mask) == eret;
  const unsigned el =
      may_differ ? engine_->get(UC_ARM64_REG_PSTATE) >> pstate::el_shift & 3U : block_el_;
  if (el == 2) el2_instructions_ += count;
  const unsigned before = block_el_;
  block_el_ = el;
  // Entries pass through enter(), which moves block_el_ along; what is left is ERET.
  if (watch_.returns && before != el) board_.exception_returned(before, el);
}

std::uint64_t Cpu::instructions_at(std::uint64_t pc) const noexcept {
  const bool inside = pc >= block_start_ && pc < block_end_;
  return inside ? instructions_ - (block_end_ - pc) / 4 : instructions_;
}

void Cpu::drop_tail(std::uint64_t pc) noexcept {
  uncount_hit(pc);
  const std::uint64_t completed = instructions_at(pc);
  if (counts_blocks_by_el_ && block_el_ == 2) el2_instructions_ -= instructions_ - completed;
  instructions_ = completed;
  block_start_ = block_end_ = 0;
}

void Cpu::watch(Watch wanted) noexcept {
  const bool by_el = wanted.returns || wanted.el2_count;
  if (by_el && !counts_blocks_by_el_) block_el_ = el();
  counts_blocks_by_el_ = by_el;
  watch_ = wanted;
}

}  // namespace pkvmemu::cpu
