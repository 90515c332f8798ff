// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/host_abort.h"

#include <optional>

#include "hyp/hypervisor.h"
#include "pkvm/event.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

constexpr std::uint64_t esr_s1ptw = bit(7);
constexpr std::uint64_t esr_same_el = bit(26);  // EC 0x20 -> 0x21, 0x24 -> 0x25
constexpr std::uint64_t spsr_el1h_masked = 0x3C5;
constexpr std::uint64_t spsr_aarch32 = bit(4);
constexpr std::uint64_t spsr_mode_el = 0xC;
constexpr std::uint64_t spsr_sp_elx = bit(0);

bool is_permission_fault(std::uint64_t esr) {
  return (esr & 0x3C) == 0x0C;
}

/// The faulting IPA. HPFAR_EL2 is not valid for a permission fault outside a stage-1 walk (Arm ARM
/// D17.2.64): then the address is translated again, and nothing is known when that fails.
std::optional<Pa> fault_address(std::uint64_t esr) {
  const std::uint64_t far = arch::read<Sysreg::far_el2>();
  const std::uint64_t offset = far % page_size;
  if (!is_permission_fault(esr) || (esr & esr_s1ptw) != 0)
    return Pa{(bits(arch::read<Sysreg::hpfar_el2>(), 43, 4) << page_shift) | offset};
  const std::uint64_t par = arch::translate_el1_read(far);
  if (test_bit(par, 0)) return std::nullopt;
  return Pa{(par & low_mask(48) & ~low_mask(page_shift)) | offset};
}

/// Offset of the synchronous vector for what the host was doing (Arm ARM D1.3.1).
std::uint64_t vector_offset(std::uint64_t spsr) {
  if ((spsr & spsr_aarch32) != 0) return 0x600;
  if ((spsr & spsr_mode_el) == 0) return 0x400;
  return (spsr & spsr_sp_elx) != 0 ? 0x200 : 0x000;
}

bool came_from_el0(std::uint64_t spsr) {
  return vector_offset(spsr) >= 0x400;
}

}  // namespace

void inject_abort(std::uint64_t esr) {
  const std::uint64_t spsr = arch::read<Sysreg::spsr_el2>();
  std::uint64_t injected = esr | esr_s1ptw;
  if (!came_from_el0(spsr)) injected |= esr_same_el;
  arch::write<Sysreg::esr_el1>(injected);
  arch::write<Sysreg::spsr_el1>(spsr);
  arch::write<Sysreg::elr_el1>(arch::read<Sysreg::elr_el2>());
  arch::write<Sysreg::far_el1>(arch::read<Sysreg::far_el2>());
  arch::write<Sysreg::elr_el2>(arch::read<Sysreg::vbar_el1>() + vector_offset(spsr));
  arch::write<Sysreg::spsr_el2>(spsr_el1h_masked);
}

void handle_host_abort(user_pt_regs* /*regs*/, std::uint64_t esr) {
  const std::optional<Pa> pa = fault_address(esr);
  if (!pa) return;
  Hypervisor& hyp = hypervisor();
  Status handled = hyp.host->handle_fault(*pa);
  // Nobody can have registered a permission-fault handler.
  if (is_permission_fault(esr)) handled = error(Errno::eperm);
  if (handled) return;
  check(handled.error() == Errno::eperm);
  hyp.events.emit(pkvm::event::Kind::host_abort_injected,
                  {esr, pa->value, arch::read<Sysreg::elr_el2>()});
  inject_abort(esr);
}

}  // namespace pkvmemu::hyp
