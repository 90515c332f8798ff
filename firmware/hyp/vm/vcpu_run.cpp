// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/vcpu_run.h"

#include <utility>

#include "hyp/hypervisor.h"
#include "hyp/vm/guest_calls.h"
#include "hyp/vm/guest_memory.h"
#include "hyp/vm/guest_smc.h"
#include "hyp/vm/injection.h"
#include "hyp/vm/regime.h"
#include "hyp/vm/system_trap.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;
using pkvm::GuestExit;

// Arm ARM D17.2.48, HCR_EL2 of a guest: stage 2, physical interrupts and aborts to EL2, SMC, and
// for protected guests WFI and WFE, ID and auxiliary registers, trapped; EL1 is AArch64.
constexpr std::uint64_t hcr_vm = bit(0);
constexpr std::uint64_t hcr_fmo_imo_amo = bit(3) | bit(4) | bit(5);
constexpr std::uint64_t hcr_tid3 = bit(18);
constexpr std::uint64_t hcr_tsc = bit(19);
constexpr std::uint64_t hcr_tidcp_tacr = bit(20) | bit(21);
constexpr std::uint64_t hcr_rw = bit(31);
constexpr std::uint64_t hcr_apk_api = bit(40) | bit(41);
constexpr std::uint64_t hcr_guest = hcr_vm | hcr_fmo_imo_amo | hcr_tsc | hcr_rw | hcr_apk_api;
constexpr std::uint64_t hcr_protected =
    hcr_guest | pkvm::hcr_trap_waits | hcr_tid3 | hcr_tidcp_tacr;

/// HCR_EL2 while it runs (pkvm-abi.md 9.3).
std::uint64_t hcr_of(const Vcpu& vcpu) {
  if (vcpu.vm->is_protected) return hcr_protected;
  return hcr_guest | (vcpu.host_hcr & pkvm::hcr_trap_waits);
}

// SCTLR_EL1 after reset: MMU and caches off, RES1 bits set.
constexpr std::uint64_t sctlr_el1_reset = 0x30D0'0980;

enum class ExceptionClass : std::uint8_t {
  wfx = 0x01,
  hvc64 = 0x16,
  smc64 = 0x17,
  system_register = 0x18,
  instruction_abort = 0x20,
  data_abort = 0x24,
};

ExceptionClass class_of(std::uint64_t esr) {
  return static_cast<ExceptionClass>(bits(esr, 31, 26));
}

// ISS of a data abort (Arm ARM D17.2.37).
constexpr std::uint64_t iss_isv = bit(24);
constexpr std::uint64_t iss_sse = bit(21);
constexpr std::uint64_t iss_register = std::uint64_t{0x1F} << 16;
constexpr std::uint64_t iss_sf = bit(15);
constexpr std::uint64_t iss_wnr = bit(6);
constexpr std::uint64_t iss_s1ptw = bit(7);
/// ISV and all that it makes valid: bits 24 to 14.
constexpr std::uint64_t iss_access = low_mask(25) & ~low_mask(14);
unsigned transfer_register(std::uint64_t esr) {
  return static_cast<unsigned>(bits(esr, 20, 16));
}

constexpr unsigned general_registers = 31;
constexpr unsigned zero_register = 31;
std::uint64_t general(const Vcpu& vcpu, unsigned number) {
  return number == zero_register ? 0 : vcpu.context.general.regs[number];
}

Ipa faulting_page() {
  return Ipa{bits(arch::read<Sysreg::hpfar_el2>(), 43, 4) << page_shift};
}

void skip_instruction(Vcpu& vcpu) {
  vcpu.context.general.pc += 4;
}

void reset(Vcpu& vcpu, VcpuReset at) {
  vcpu.context = GuestContext{};
  vcpu.shown.reset();
  vcpu.abort = PendingAbort::none;
  vcpu.context.general.regs[0] = at.x0;
  vcpu.context.general.pc = at.pc;
  vcpu.context.general.pstate = pstate_el1h_masked;
  vcpu.context.el1.value[El1Registers::sctlr_el1] = sctlr_el1_reset;
}

/// The vCPU that a protected VM starts with enters the firmware with x0 to x14 from the host and
/// x15 = 0 (pkvm-abi.md 9.4), or where the host says when it has none; an ordinary guest starts as
/// the host says, always.
void first_reset(Vcpu& vcpu) {
  const pkvm::HostVcpu& host = *vcpu.host;
  const Vm& vm = *vcpu.vm;
  const bool firmware = vm.is_protected && vm.has_firmware();
  reset(vcpu, {.pc = firmware ? vm.pvmfw_address : host.pc, .x0 = host.x[0]});
  constexpr unsigned firmware_arguments = 15;  // x15 is 0
  const unsigned from_host = vm.is_protected ? firmware_arguments : general_registers;
  for (unsigned i = 0; i < from_host; ++i)
    vcpu.context.general.regs[i] = host.x[i];
}

/// A load's value as the register sees it (Arm ARM D17.2.37: SSE, SF).
std::uint64_t extended(std::uint64_t value, std::uint64_t esr) {
  const unsigned width = 8U << bits(esr, 23, 22);
  value &= low_mask(width);
  if ((esr & iss_sse) != 0 && test_bit(value, width - 1)) value |= ~low_mask(width);
  return (esr & iss_sf) != 0 ? value : value & low_mask(32);
}

void finish_access(Vcpu& vcpu, std::uint64_t esr) {
  const unsigned reg = transfer_register(esr);
  if ((esr & iss_wnr) == 0 && reg != zero_register)
    vcpu.context.general.regs[reg] = extended(vcpu.host->x[0], esr);
  skip_instruction(vcpu);
}

/// What the host answered to the last exit. The guest's EL1 registers are in place.
void enter_wish(Vcpu& vcpu) {
  pkvm::HostVcpu& host = *vcpu.host;
  const pkvm::EntryWish wish = host.wish;
  host.wish = pkvm::EntryWish::retry;
  if (wish == pkvm::EntryWish::abort) inject_external_abort(vcpu);
  if (wish == pkvm::EntryWish::emulated && vcpu.shown) finish_access(vcpu, vcpu.shown->esr);
  vcpu.shown.reset();
  vcpu.abort = PendingAbort::none;
}

PendingAbort abort_of(GuestExit exit, std::uint64_t esr) {
  if (exit != GuestExit::trap) return PendingAbort::none;
  if (class_of(esr) == ExceptionClass::data_abort) return PendingAbort::data;
  if (class_of(esr) == ExceptionClass::instruction_abort) return PendingAbort::instruction;
  return PendingAbort::none;
}

/// An ordinary guest's registers are the host's.
void exchange_from_host(Vcpu& vcpu) {
  if (vcpu.vm->is_protected) return;
  for (unsigned i = 0; i < general_registers; ++i)
    vcpu.context.general.regs[i] = vcpu.host->x[i];
  vcpu.context.general.pc = vcpu.host->pc;
}

void tell_host(const Vcpu& vcpu, std::uint64_t esr) {
  pkvm::HostVcpu& host = *vcpu.host;
  host.esr = esr;
  host.hpfar = arch::read<Sysreg::hpfar_el2>();
  host.far = vcpu.vm->is_protected ? vcpu.far % page_size : vcpu.far;
  if (vcpu.vm->is_protected) {
    host.power = vcpu.power;
    return;
  }
  for (unsigned i = 0; i < general_registers; ++i)
    host.x[i] = vcpu.context.general.regs[i];
  host.pc = vcpu.context.general.pc;
}

/// A protected guest touched what is not its memory. Of a device's page, or of any page while the
/// guest has not asked for the guard, the host sees the access and may emulate it, as one of x0;
/// otherwise it sees where, and not what.
std::uint64_t show_abort(Vcpu& vcpu, std::uint64_t esr) {
  const Vm& vm = *vcpu.vm;
  const bool device = !vm.mmio_guard || is_guarded_mmio(vm, faulting_page());
  const bool emulable = device && (esr & iss_isv) != 0 && (esr & iss_s1ptw) == 0;
  if (!emulable) return esr & ~iss_access;
  if ((esr & iss_wnr) != 0)
    vcpu.host->x[0] = general(vcpu, transfer_register(esr)) & low_mask(8U << bits(esr, 23, 22));
  vcpu.shown = ShownAccess{esr};
  return esr & ~iss_register;
}

/// The host hears of it as of an access to that page, without more; the guest stays at its HVC.
std::uint64_t want_page(Vcpu& vcpu, Ipa page) {
  constexpr std::uint64_t translation_fault = 7;  // at level 3
  constexpr std::uint64_t hpfar_shift = 4;
  vcpu.context.general.pc -= 4;
  vcpu.far = 0;
  arch::write<Sysreg::hpfar_el2>(page.value >> page_shift << hpfar_shift);
  return (static_cast<std::uint64_t>(ExceptionClass::data_abort) << 26) | bit(25) |
         translation_fault;
}

/// The call's number and arguments as they were: the host needs them for what is its part.
Handled handle_call(Vcpu& vcpu, std::uint64_t& esr) {
  const auto& regs = vcpu.context.general.regs;
  const std::array<std::uint64_t, 4> asked = {regs[0], regs[1], regs[2], regs[3]};
  const Handled handled = handle_guest_call(vcpu);
  if (handled == Handled::exit)
    for (unsigned i = 0; i < asked.size(); ++i)
      vcpu.host->x[i] = asked[i];
  if (handled == Handled::page_wanted) esr = want_page(vcpu, Ipa{asked[1]});
  return handled;
}

Handled handle_protected(Vcpu& vcpu, std::uint64_t& esr) {
  switch (class_of(esr)) {
    case ExceptionClass::hvc64:
      return handle_call(vcpu, esr);
    case ExceptionClass::system_register:
      emulate_system_register(vcpu, esr);
      return Handled::resume;
    case ExceptionClass::smc64:
      return handle_guest_smc(vcpu);
    case ExceptionClass::wfx:
      skip_instruction(vcpu);
      return Handled::exit;
    case ExceptionClass::data_abort:
      esr = show_abort(vcpu, esr);
      return Handled::exit;
    case ExceptionClass::instruction_abort:
      return Handled::exit;
  }
  inject_undefined(vcpu);
  return Handled::resume;
}

/// The stage 2 of a VM, and the traps of its kind, for a scope.
class GuestRegime {
 public:
  explicit GuestRegime(const Vcpu& vcpu)
      : elr_(arch::read<Sysreg::elr_el2>()), spsr_(arch::read<Sysreg::spsr_el2>()) {
    arch::write<Sysreg::vtcr_el2>(guest_shape().vtcr(guest_parange));
    arch::write<Sysreg::vttbr_el2>(vcpu.vm->vttbr());
    arch::write<Sysreg::vmpidr_el2>(mpidr_res1 | vcpu.index);
    arch::write<Sysreg::hcr_el2>(hcr_of(vcpu));
    arch::isb();
    arch::use_guest_vectors();
  }
  ~GuestRegime() {
    restore_host_traps();
    arch::write<Sysreg::elr_el2>(elr_);
    arch::write<Sysreg::spsr_el2>(spsr_);
  }
  GuestRegime(const GuestRegime&) = delete;
  GuestRegime& operator=(const GuestRegime&) = delete;

  static void restore_host_traps() {
    const pkvm::HypInitParams& params = this_cpu().params;
    arch::use_host_vectors();
    arch::write<Sysreg::hcr_el2>(params.hcr_el2);
    arch::write<Sysreg::vtcr_el2>(params.vtcr);
    arch::write<Sysreg::vttbr_el2>(params.vttbr);
    arch::write<Sysreg::vmpidr_el2>(arch::read<Sysreg::mpidr_el1>());
    arch::isb();
  }

 private:
  static constexpr unsigned guest_parange = 2;  // 40 bits
  static constexpr std::uint64_t mpidr_res1 = bit(31);
  std::uint64_t elr_;
  std::uint64_t spsr_;
};

/// The host's registers while a guest runs on this CPU.
struct Suspended {
  El1Registers host;
  arch::WorldRegisters host_world;
  const Vcpu* guest = nullptr;  ///< that runs
};
constinit std::array<Suspended, max_cpus> suspended{};

/// Into the guest and out again: pc and pstate go through ELR_EL2 and SPSR_EL2.
GuestExit enter(Vcpu& vcpu) {
  user_pt_regs& general = vcpu.context.general;
  arch::write<Sysreg::elr_el2>(general.pc);
  arch::write<Sysreg::spsr_el2>(general.pstate);
  const std::uint64_t exit = arch::enter_guest(&general.regs[0]);
  general.pc = arch::read<Sysreg::elr_el2>();
  general.pstate = arch::read<Sysreg::spsr_el2>();
  return static_cast<GuestExit>(exit);
}

GuestExit run_in_guest_regime(Vcpu& vcpu) {
  const GuestRegime regime(vcpu);
  vcpu.context.el1.restore();
  arch::restore_world(vcpu.context.world);
  enter_wish(vcpu);
  GuestExit exit = GuestExit::trap;
  std::uint64_t esr = 0;
  for (;;) {
    exit = enter(vcpu);
    esr = arch::read<Sysreg::esr_el2>();
    vcpu.far = arch::read<Sysreg::far_el2>();
    if (exit != GuestExit::trap || !vcpu.vm->is_protected) break;
    if (handle_protected(vcpu, esr) != Handled::resume) break;
  }
  vcpu.context.el1 = El1Registers::save();
  arch::save_world(vcpu.context.world);
  vcpu.abort = abort_of(exit, esr);
  tell_host(vcpu, esr);
  return exit;
}

}  // namespace

GuestExit run_vcpu(Vcpu& vcpu) {
  if (vcpu.vm->is_protected && vcpu.power == pkvm::VcpuPower::stopped) return GuestExit::illegal;
  if (vcpu.reset)
    reset(vcpu, *vcpu.reset);
  else if (!vcpu.has_run)
    first_reset(vcpu);
  vcpu.reset.reset();
  vcpu.has_run = true;
  exchange_from_host(vcpu);

  Suspended& mine = suspended[this_cpu().index];
  mine.host = El1Registers::save();
  arch::save_world(mine.host_world);
  mine.guest = &vcpu;
  const GuestExit exit = run_in_guest_regime(vcpu);
  mine.host.restore();
  arch::restore_world(mine.host_world);
  mine.guest = nullptr;
  return exit;
}

const Vcpu* restore_host_for_panic() {
  Suspended& mine = suspended[this_cpu().index];
  if (mine.guest == nullptr) return nullptr;
  GuestRegime::restore_host_traps();
  mine.host.restore();
  arch::restore_world(mine.host_world);
  return std::exchange(mine.guest, nullptr);
}

HostRegime::HostRegime() {
  arch::write<Sysreg::vttbr_el2>(this_cpu().params.vttbr);
  arch::isb();
}

HostRegime::~HostRegime() {
  arch::write<Sysreg::vttbr_el2>(vttbr_);
  arch::isb();
}

}  // namespace pkvmemu::hyp
