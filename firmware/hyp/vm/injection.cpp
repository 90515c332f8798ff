// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/injection.h"

#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

constexpr std::uint64_t ec_shift = 26;
constexpr std::uint64_t ec_unknown = 0x00;
constexpr std::uint64_t ec_data_abort_lower = 0x24;
constexpr std::uint64_t ec_instruction_abort_lower = 0x20;
constexpr std::uint64_t from_same_level = 1;  // each class of the lower level, plus this
constexpr std::uint64_t il = bit(25);
constexpr std::uint64_t dfsc_external = 0x10;

bool is_at_el0(const Vcpu& vcpu) {
  return (vcpu.context.general.pstate & 0xC) == 0;
}

/// Offset of the synchronous vector (Arm ARM D1.3.1); guests are AArch64.
std::uint64_t vector_offset(const Vcpu& vcpu) {
  if (is_at_el0(vcpu)) return 0x400;
  return (vcpu.context.general.pstate & 1) != 0 ? 0x200 : 0x000;
}

void inject(Vcpu& vcpu, std::uint64_t esr) {
  user_pt_regs& general = vcpu.context.general;
  arch::write<Sysreg::esr_el1>(esr);
  arch::write<Sysreg::elr_el1>(general.pc);
  arch::write<Sysreg::spsr_el1>(general.pstate);
  general.pc = arch::read<Sysreg::vbar_el1>() + vector_offset(vcpu);
  general.pstate = pstate_el1h_masked;
}

}  // namespace

void inject_external_abort(Vcpu& vcpu) {
  if (vcpu.abort == PendingAbort::none) return;
  arch::write<Sysreg::far_el1>(vcpu.far);
  const std::uint64_t lower =
      vcpu.abort == PendingAbort::instruction ? ec_instruction_abort_lower : ec_data_abort_lower;
  const std::uint64_t ec = is_at_el0(vcpu) ? lower : lower + from_same_level;
  inject(vcpu, ec << ec_shift | il | dfsc_external);
}

void inject_undefined(Vcpu& vcpu) {
  inject(vcpu, ec_unknown << ec_shift | il);
}

}  // namespace pkvmemu::hyp
