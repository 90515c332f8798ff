// SPDX-License-Identifier: GPL-2.0-only
#include "native_lab.h"

#include "hyp/trap.h"
#include "pkvm/smccc.h"
#include "pkvm/vm.h"

namespace pkvmemu::hyp::test {

namespace {

using arch::Sysreg;

constexpr std::uint64_t il = std::uint64_t{1} << 25;
constexpr std::uint64_t ec_wfx = std::uint64_t{0x01} << 26 | il;
constexpr std::uint64_t ec_hvc = std::uint64_t{0x16} << 26 | il;
constexpr std::uint64_t ec_instruction_abort = std::uint64_t{0x20} << 26 | il;
constexpr std::uint64_t ec_data_abort = std::uint64_t{0x24} << 26 | il;
constexpr std::uint64_t host_pc = 0xFFFF'FFC0'8001'0000;
constexpr std::uint64_t host_pstate = 5;  // EL1h

/// HVC as long as x0 names a call, WFI afterwards.
std::uint64_t victim(unsigned long long* general) {
  const bool calls = general[0] == pkvm::guest_call::mem_share;
  arch::write<Sysreg::esr_el2>(calls ? ec_hvc : ec_wfx);
  return static_cast<std::uint64_t>(pkvm::GuestExit::trap);
}

}  // namespace

NativeLab::NativeLab(pkvm::Generation generation, host::AttackPhase phase)
    : generation_(generation), world_(generation), phase_(phase) {
  arch::fake::state().reach = [](std::uint64_t pa) {
    return hypervisor().linear.hyp_va(Pa{pa}).value;
  };
  arch::fake::state().guest = victim;
  // A kernel's address is where the test reaches the page: nothing is masked, no tag is put in.
  hyp_boot_info.kern_va_mask = ~std::uint64_t{0};
  hyp_boot_info.kern_va_tag = 0;
  hyp_boot_info.pvmfw_base = ram_end.value - firmware_size;
  hyp_boot_info.pvmfw_size = firmware_size;
  if (phase == host::AttackPhase::after)
    check(call(pkvm::Hypercall::pkvm_prot_finalize, {}).x0 == 0);
}

NativeLab::~NativeLab() {
  hyp_boot_info = {};
}

host::CallAnswer NativeLab::call(pkvm::Hypercall call, const host::CallArguments& arguments) {
  const auto number = pkvm::hypercall_number(generation_, call);
  if (!number) return {.x0 = ~std::uint64_t{0}};
  user_pt_regs regs{};
  regs.regs[0] = pkvm::smccc::kvm_host_id(*number);
  for (std::size_t i = 0; i < arguments.size(); ++i)
    regs.regs[i + 1] = arguments[i];
  arch::write<Sysreg::esr_el2>(ec_hvc);
  arch::write<Sysreg::elr_el2>(host_pc);
  arch::write<Sysreg::spsr_el2>(host_pstate);
  hyp_handle_trap(&regs);
  return {.x0 = regs.regs[0], .x1 = regs.regs[1], .x3 = regs.regs[3]};
}

/// As the CPU makes it: it faults as often as its stage 2 says so.
host::Touched NativeLab::touch(host::Access access, Pa pa, std::uint64_t value) {
  constexpr int most_faults = 3;
  if (phase_ == host::AttackPhase::early) return {};
  const std::uint64_t ec = access == host::Access::execute ? ec_instruction_abort : ec_data_abort;
  const std::uint64_t wnr = access == host::Access::write ? 0x40 : 0;
  std::uint64_t right = Prot::r;
  if (access == host::Access::write) right = Prot::w;
  if (access == host::Access::execute) right = Prot::x;
  for (int round = 0; round < most_faults; ++round) {
    const Leaf leaf = world_.host().leaf(pa);
    const bool valid = is_valid(leaf.descriptor);
    if (valid && stage2_permission(leaf.descriptor).has(right)) {
      if (access == host::Access::write) *reinterpret_cast<std::uint64_t*>(memory(pa)) = value;
      return {};
    }
    const std::uint64_t status = (valid ? 0x0C : 0x04) | leaf.level;
    arch::fake::state().par = pa.value;
    arch::write<Sysreg::esr_el2>(ec | wnr | status);
    arch::write<Sysreg::far_el2>(0);
    arch::write<Sysreg::hpfar_el2>((pa.value >> page_shift) << 4);
    arch::write<Sysreg::elr_el2>(host_pc);
    arch::write<Sysreg::spsr_el2>(host_pstate);
    user_pt_regs regs{};
    hyp_handle_trap(&regs);
    if (arch::read<Sysreg::elr_el2>() != host_pc)
      return {.abort = true, .esr = arch::read<Sysreg::esr_el1>()};
  }
  return {.abort = true};
}

std::optional<Pa> NativeLab::take_page() {
  if (next_page_ == last_heap_page) return std::nullopt;
  return host_page(next_page_++);
}

std::uint64_t NativeLab::kernel_va(Pa page) const {
  return hypervisor().linear.hyp_va(page).value;
}

std::byte* NativeLab::memory(Pa page) const {
  return hypervisor().linear.pointer<std::byte>(page);
}

}  // namespace pkvmemu::hyp::test
