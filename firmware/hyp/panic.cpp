// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/panic.h"

#include <optional>
#include <string_view>

#include "hyp/cfi.h"
#include "hyp/hypervisor.h"
#include "hyp/module_caller.h"
#include "hyp/registrations.h"
#include "hyp/vm/vcpu_run.h"
#include "pkvm/event.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

constinit PanicExit panic_exit{};
constinit bool panicking = false;

/// Stacks are the upper of two pages; an exception that finds SP below has run over.
bool is_overflow(std::uint64_t origin, std::uint64_t sp) {
  return origin == PANIC_FROM_EL2 && !test_bit(sp - 1, page_shift);
}

/// A call that kCFI stopped (pkvm-abi.md 1.8): of what, and the words that differ.
struct CfiFailure {
  HypVa callee{0};
  std::uint32_t expected = 0;
  std::uint32_t found = 0;  ///< 0 where nothing can be read before the callee
};

std::optional<CfiFailure> cfi_failure_of(std::uint64_t esr) {
  constexpr std::uint64_t ec_brk = 0x3C;
  constexpr std::uint64_t immediate = 0x8000;
  constexpr std::uint64_t no_register = 31;
  if (bits(esr, 31, 26) != ec_brk || bits(esr, 15, 10) != bits(immediate, 15, 10))
    return std::nullopt;
  const std::uint64_t type = bits(esr, 9, 5);
  const std::uint64_t target = bits(esr, 4, 0);
  if (type == no_register || target == no_register) return std::nullopt;
  CfiFailure failure{.callee = HypVa{hyp_panic_registers[target]},
                     .expected = static_cast<std::uint32_t>(hyp_panic_registers[type])};
  if (physical_of(failure.callee.value - sizeof(std::uint32_t)) != 0)
    failure.found = word_before(failure.callee);
  return failure;
}

struct PanicSyndrome {
  std::uint64_t esr, spsr, elr, far, hpfar, par;
};

/// What was to be called, if it was a call that went wrong: where there are kCFI words the one
/// before it is read first.
HypVa callee_of(const PanicSyndrome& at) {
  constexpr std::uint64_t ec_data_abort = 0x25;
  if (bits(at.esr, 31, 26) == ec_data_abort) return HypVa{at.far} + sizeof(std::uint32_t);
  return HypVa{at.elr};
}

/// What a report can say of it beyond the registers: who called, and what a module registered the
/// function for that was to be called.
void tell_panic(const PanicSyndrome& at, std::uint64_t sp, std::string_view what) {
  constexpr std::size_t frame = 29;
  constexpr std::size_t link = 30;
  const std::uint64_t caller = module_caller(hyp_panic_registers[link], hyp_panic_registers[frame]);
  const std::optional<CfiFailure> cfi = cfi_failure_of(at.esr);
  const HypVa callee = cfi ? cfi->callee : callee_of(at);
  const CfiFailure words = cfi.value_or(CfiFailure{});
  hypervisor().events.emit(
      pkvm::event::Kind::hyp_panic,
      {at.esr, at.spsr, at.elr, at.far, at.hpfar, at.par, hyp_panic_registers[link], sp,
       words.callee.value, words.expected, words.found, caller},
      registered_with(hypervisor(), callee), what);
}

}  // namespace

}  // namespace pkvmemu::hyp

constinit pkvmemu::hyp::PanicRegisters hyp_panic_registers{};

const pkvmemu::hyp::PanicExit* hyp_panic(std::uint64_t origin, std::uint64_t sp) {
  using namespace pkvmemu::hyp;  // NOLINT(google-build-using-namespace): the C entry point
  using pkvmemu::arch::read;
  using pkvmemu::arch::Sysreg;
  Hypervisor& hyp = hypervisor();
  const std::uint64_t esr = read<Sysreg::esr_el2>();
  const std::uint64_t spsr = read<Sysreg::spsr_el2>();
  const std::uint64_t elr = read<Sysreg::elr_el2>();
  const std::uint64_t far = read<Sysreg::far_el2>();
  const std::uint64_t hpfar = read<Sysreg::hpfar_el2>();
  const std::uint64_t par = read<Sysreg::par_el1>();

  // A panic while panicking goes straight to the host.
  if (!panicking) {
    panicking = true;
    tell_panic({.esr = esr, .spsr = spsr, .elr = elr, .far = far, .hpfar = hpfar, .par = par}, sp,
               is_overflow(origin, sp) ? "hyp stack overflow" : "");
    // Whoever panics holding it never gives it back, and the host's last words need their MMIO.
    if (hyp.host) hyp.host->lock().unlock();
    if (origin == PANIC_FROM_EL2) hyp.handlers.panic.notify(&this_cpu().host);
  }
  const auto guest = reinterpret_cast<std::uint64_t>(restore_host_for_panic());
  panic_exit = {.x = {esr, spsr, elr, physical_of(elr), par, guest, far, hpfar},
                .handler = hyp_boot_info.panic_handler,
                .host = origin == PANIC_FROM_HOST ? nullptr : &this_cpu().host};
  return &panic_exit;
}
