// SPDX-License-Identifier: GPL-2.0-only
// arch.h for native builds: registers are variables, maintenance is counted, and what would end in
// hyp panic ends the process with a message that a death test can match.
#pragma once

#include "lib/arch.h"

namespace pkvmemu::arch::fake {

/// What a test reads back. One machine, one CPU.
struct State {
  std::array<std::uint64_t, static_cast<std::size_t>(Sysreg::count)> registers{};
  unsigned hyp_page_flushes = 0;
  unsigned hyp_full_flushes = 0;
  unsigned vmid_flushes = 0;
  unsigned barriers = 0;
  bool serror_masked = true;
  std::uint64_t hfgwtr_el2 = 0;
  /// Answers translate_el1_read.
  std::uint64_t par = 0;
  SmcRegisters last_smc{};
  unsigned smc_count = 0;
  /// Where a physical page really is, for what is reached through a window.
  std::uint64_t (*reach)(std::uint64_t pa) = nullptr;
  /// Stands for a guest: changes its registers as it would, and says which exit it took.
  std::uint64_t (*guest)(unsigned long long* general) = nullptr;
  WorldRegisters world{};
  bool guest_vectors = false;
  /// Answers an SMC in place of EL3; without one x0 becomes -1.
  void (*monitor)(SmcRegisters&) = nullptr;
};

State& state();
void reset();

}  // namespace pkvmemu::arch::fake

namespace pkvmemu::arch {

template <Sysreg Register>
std::uint64_t read() {
  return fake::state().registers[static_cast<std::size_t>(Register)];
}
template <Sysreg Register>
void write(std::uint64_t value) {
  fake::state().registers[static_cast<std::size_t>(Register)] = value;
}

}  // namespace pkvmemu::arch
