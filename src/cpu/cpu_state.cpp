// SPDX-License-Identifier: GPL-2.0-only
// Saving and restoring a CPU, and what has to happen to its caches when memory changes under it.
#include "cpu/cpu_state.h"

#include "cpu/abort_guard.h"
#include "cpu/cpu.h"

namespace pkvmemu::cpu {

/// Both leave the TLB empty, so that the run that goes on and the one that comes back start from
/// the same, and the next store to each page is seen. The same holds for code: what was written and
/// not yet announced by IC is announced here, which the architecture allows at any time.
std::shared_ptr<const CpuState> Cpu::save() {
  assert(!engine_aborted_ && "an engine that aborted cannot be saved");
  auto state = std::make_shared<CpuState>(CpuState{.engine = EngineState(*engine_),
                                                   .instructions = instructions_,
                                                   .el2_instructions = el2_instructions_,
                                                   .block_el = block_el_,
                                                   .entered_vector = entered_vector_,
                                                   .faults_in_vector = faults_in_vector_,
                                                   .told = told_});
  code_pages_.remember();
  static_cast<void>(code_pages_.invalidate());
  memory_replaced();
  return state;
}

void Cpu::restore(const CpuState& state) {
  assert(!engine_aborted_ && "an engine that aborted cannot be restored");
  state.engine.restore(*engine_);
  instructions_ = state.instructions;
  el2_instructions_ = state.el2_instructions;
  block_el_ = state.block_el;
  entered_vector_ = state.entered_vector;
  faults_in_vector_ = state.faults_in_vector;
  told_ = state.told;
  code_pages_.forget_writes();
  memory_replaced();
}

void Cpu::memory_replaced() {
  memory_changed_ = true;
  Engine::check(uc_ctl_flush_tlb(engine_->raw()));
}

}  // namespace pkvmemu::cpu
