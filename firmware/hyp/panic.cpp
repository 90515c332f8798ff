// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/panic.h"

#include "hyp/hypervisor.h"
#include "hyp/vm/vcpu_run.h"
#include "pkvm/event.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

constinit PanicExit panic_exit{};
constinit bool panicking = false;

/// The physical address behind a hyp VA, 0 when nothing is mapped there.
std::uint64_t physical_of(std::uint64_t va) {
  Hypervisor& hyp = hypervisor();
  if (!hyp.space || !hyp.space->table().covers({va, va + 1})) return 0;
  const Leaf leaf = hyp.space->table().leaf(va);
  if (!is_valid(leaf.descriptor)) return 0;
  return address_of(leaf.descriptor).value + (va % level_size(leaf.level));
}

/// Stacks are the upper of two pages; an exception that finds SP below has run over.
bool is_overflow(std::uint64_t origin, std::uint64_t sp) {
  return origin == PANIC_FROM_EL2 && !test_bit(sp - 1, page_shift);
}

}  // namespace

}  // namespace pkvmemu::hyp

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
    hyp.events.emit(pkvm::event::Kind::hyp_panic, {esr, spsr, elr, far, hpfar, par}, {},
                    is_overflow(origin, sp) ? "hyp stack overflow" : "");
    // Whoever panics holding it never gives it back, and the host's last words need their MMIO.
    if (hyp.host) hyp.host->lock().unlock();
    if (origin == PANIC_FROM_EL2) hyp.handlers.panic.notify(&this_cpu().host);
  }
  restore_host_for_panic();
  panic_exit = {.x = {esr, spsr, elr, physical_of(elr), par, 0, far, hpfar},
                .handler = hyp_boot_info.panic_handler,
                .host = origin == PANIC_FROM_HOST ? nullptr : &this_cpu().host};
  return &panic_exit;
}
