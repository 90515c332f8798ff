// SPDX-License-Identifier: GPL-2.0-only
// Watched instructions: telling the board before one runs, and what the board may do there.
#include <utility>

#include "cpu/cpu.h"
#include "cpu/engine.h"

namespace pkvmemu::cpu {

/// The engine comes here once more for the same execution when the block is begun again: after a
/// stop, or when the block is translated anew. Where Until stops the board is told afterwards, when
/// the instruction runs.
void Cpu::on_code(std::uint64_t address) noexcept {
  if (splits_at(address)) return;
  const Told now{.address = address, .instructions = instructions_at(address)};
  if (told_ == now) return;
  told_ = now;
  moved_to_.reset();
  memory_changed_ = false;
  told_now_ = true;
  board_.code_reached(address);
  told_now_ = false;
  if (moved_to_) {
    leave_block(address, *moved_to_);
    ++instructions_;
    if (counts_blocks_by_el_ && block_el_ == 2) ++el2_instructions_;
  } else if (stop_reason_ || memory_changed_) {
    leave_block(address, address);
  }
}

void Cpu::leave_block(std::uint64_t left_at, std::uint64_t go_on_at) noexcept {
  drop_tail(left_at);
  paused_at_ = go_on_at;
  uc_emu_stop(engine_->raw());
}

}  // namespace pkvmemu::cpu
