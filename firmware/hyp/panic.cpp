// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/panic.h"

#include <optional>
#include <string_view>

#include "hyp/cfi.h"
#include "hyp/hypervisor.h"
#include "hyp/registrations.h"
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

struct FrameRecord {
  std::uint64_t next;
  std::uint64_t return_address;
};

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

/// Where a module called what panicked: the innermost return address of the frame records (AAPCS64
/// 6.4.6) that lies in one; 0 when none does. Nothing that stands there is trusted.
std::uint64_t calling_module_code() {
  constexpr std::size_t frame = 29;
  constexpr std::size_t link = 30;
  constexpr unsigned most_frames = 32;
  const auto in_module = [](std::uint64_t address) {
    return hypervisor().modules.range_of(HypVa{address}).end.value != 0;
  };
  const auto unsigned_address = [](std::uint64_t address) { return address & low_mask(48); };
  std::uint64_t address = unsigned_address(hyp_panic_registers[link]);
  std::uint64_t at = hyp_panic_registers[frame];
  for (unsigned i = 0; i < most_frames && !in_module(address); ++i) {
    if (at % sizeof(FrameRecord) != 0 || physical_of(at) == 0) return 0;
    const FrameRecord& record = *fw::object_at<const FrameRecord>(HypVa{at});
    address = unsigned_address(record.return_address);
    at = record.next;
  }
  return in_module(address) ? address : 0;
}

struct PanicSyndrome {
  std::uint64_t esr, spsr, elr, far, hpfar, par;
};

/// What a report can say of it beyond the registers: who called, and what a module registered the
/// function for that was to be called.
void tell_panic(const PanicSyndrome& at, std::uint64_t sp, std::string_view what) {
  constexpr std::size_t link = 30;
  const std::optional<CfiFailure> cfi = cfi_failure_of(at.esr);
  const HypVa callee = cfi ? cfi->callee : HypVa{at.elr};
  const CfiFailure words = cfi.value_or(CfiFailure{});
  hypervisor().events.emit(pkvm::event::Kind::hyp_panic,
                           {at.esr, at.spsr, at.elr, at.far, at.hpfar, at.par,
                            hyp_panic_registers[link], sp, words.callee.value, words.expected,
                            words.found, calling_module_code()},
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
  restore_host_for_panic();
  panic_exit = {.x = {esr, spsr, elr, physical_of(elr), par, 0, far, hpfar},
                .handler = hyp_boot_info.panic_handler,
                .host = origin == PANIC_FROM_HOST ? nullptr : &this_cpu().host};
  return &panic_exit;
}
