// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/host_abort.h"

#include <optional>

#include "hyp/cfi.h"
#include "hyp/hypervisor.h"
#include "hyp/iommu_rules.h"
#include "lib/address_cast.h"
#include "pkvm/event.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

constexpr std::uint64_t instruction_size = 4;
constexpr std::uint64_t esr_s1ptw = bit(7);
constexpr std::uint64_t esr_same_el = bit(26);  // EC 0x20 -> 0x21, 0x24 -> 0x25
constexpr std::uint64_t spsr_el1h_masked = 0x3C5;
constexpr std::uint64_t spsr_aarch32 = bit(4);
constexpr std::uint64_t spsr_mode_el = 0xC;
constexpr std::uint64_t spsr_sp_elx = bit(0);

// ESR_EL2.ISS: bits 5:2 say the class of an abort (Arm ARM D17.2.37).
constexpr std::uint64_t fault_class = 0x3C;

bool is_permission_fault(std::uint64_t esr) {
  return (esr & fault_class) == 0x0C;
}
bool is_translation_fault(std::uint64_t esr) {
  return (esr & fault_class) == 0x04;
}
bool is_data_abort(std::uint64_t esr) {
  constexpr std::uint64_t data_abort_lower = 0x24;
  return bits(esr, 31, 26) == data_abort_lower;
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

/// The chain of handlers, none of which holds a lock (pkvm-abi.md 7.5).
Status ask_handlers(const FaultRules& rules, user_pt_regs* regs, std::uint64_t esr, Pa pa) {
  int answer = pkvm::negated(Errno::eperm);
  for (const AbortCallback& handler : hypervisor().aborts.permission_handlers.all()) {
    check_callee(handler.function, handler.hash);
    answer = fw::function_at<int(user_pt_regs*, u64, u64)>(handler.function)(regs, esr, pa.value);
    if (rules.zero_ends_the_chain ? answer == 0 : answer != 0) break;
  }
  if (answer == 0) return {};
  // Where any other answer counts it has to be one of these.
  if (rules.zero_ends_the_chain || answer == pkvm::negated(Errno::eperm))
    return error(Errno::eperm);
  check(answer == pkvm::negated(Errno::eagain));
  return {};
}

/// An access to a device that the IOMMU driver may want to answer itself.
bool driver_takes_it(user_pt_regs* regs, std::uint64_t esr, Pa pa) {
  Hypervisor& hyp = hypervisor();
  if (!is_data_abort(esr) || hyp.host->memory().is_ram(pa)) return false;
  if (iommu_rules(hyp.generation).has_devices) return hyp.iommu_devices.takes_abort(regs, esr, pa);
  const HypVa handler = hyp.iommu.operation(IommuOp::dabt_handler);
  if (handler.value == 0) return false;
  const CfiFlavour flavour = hyp.modules.flavour_of(handler);
  check_callee(handler, fault_rules(hyp.generation).driver_handler.hash(flavour));
  return fw::function_at<bool(user_pt_regs*, u64, u64)>(handler)(regs, esr, pa.value);
}

Status resolve(user_pt_regs* regs, std::uint64_t esr, Pa pa) {
  Hypervisor& hyp = hypervisor();
  if (driver_takes_it(regs, esr, pa)) {
    arch::write<Sysreg::elr_el2>(arch::read<Sysreg::elr_el2>() + instruction_size);
    return {};
  }
  const FaultRules& rules = fault_rules(hyp.generation);
  Status mapped = error(Errno::eperm);
  if (rules.maps_whatever_class || is_translation_fault(esr)) mapped = hyp.host->handle_fault(pa);
  return is_permission_fault(esr) ? ask_handlers(rules, regs, esr, pa) : mapped;
}

void tell_notifier(user_pt_regs* regs) {
  for (const AbortCallback& notifier : hypervisor().aborts.illegal_abort_notifier.all()) {
    check_callee(notifier.function, notifier.hash);
    fw::function_at<void(user_pt_regs*)>(notifier.function)(regs);
  }
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

void handle_host_abort(user_pt_regs* regs, std::uint64_t esr) {
  const std::optional<Pa> pa = fault_address(esr);
  if (!pa) return;
  const Status handled = resolve(regs, esr, *pa);
  if (handled) return;
  check(handled.error() == Errno::eperm);
  tell_notifier(regs);
  hypervisor().events.emit(pkvm::event::Kind::host_abort_injected,
                           {esr, pa->value, arch::read<Sysreg::elr_el2>()});
  inject_abort(esr);
}

}  // namespace pkvmemu::hyp
