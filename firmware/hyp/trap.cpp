// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/trap.h"

#include <array>

#include "hyp/host_abort.h"
#include "hyp/hypervisor.h"
#include "hyp/smc.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

// ESR_EL2.EC (Arm ARM D17.2.37).
enum class ExceptionClass : std::uint8_t {
  hvc64 = 0x16,
  smc64 = 0x17,
  instruction_abort = 0x20,
  data_abort = 0x24,
};

struct Row {
  ExceptionClass exception;
  void (*handler)(user_pt_regs* regs, std::uint64_t esr);
};

constexpr auto rows = std::to_array<Row>({
    {ExceptionClass::smc64, handle_smc},
    {ExceptionClass::instruction_abort, handle_host_abort},
    {ExceptionClass::data_abort, handle_host_abort},
});

/// What pKVM does not know is a module's, which has to move ELR_EL2 itself; nobody's is fatal
/// (pkvm-abi.md 8.2).
void handle_other(user_pt_regs* regs, std::uint64_t esr, ExceptionClass exception) {
  for (const Row& row : rows)
    if (row.exception == exception) {
      row.handler(regs, esr);
      return;
    }
  check(hypervisor().handlers.default_trap.first_true(regs));
}

/// All but the hypercalls of a host whose SErrors stay its own.
[[gnu::noinline]] void handle_rest(user_pt_regs* regs, std::uint64_t esr,
                                   ExceptionClass exception) {
  Hypervisor& hyp = hypervisor();
  const bool takes_serrors = hyp.handlers.serror.installed();
  if (takes_serrors) hyp.handlers.serror.unmask();
  if (exception == ExceptionClass::hvc64)
    hyp.dispatcher.handle(regs, hyp.modules);
  else
    handle_other(regs, esr, exception);
  if (takes_serrors) hyp.handlers.serror.mask();
}

}  // namespace

}  // namespace pkvmemu::hyp

void hyp_handle_trap(user_pt_regs* regs) {
  using namespace pkvmemu::hyp;  // NOLINT(google-build-using-namespace): the C entry point
  const std::uint64_t esr = pkvmemu::arch::read<pkvmemu::arch::Sysreg::esr_el2>();
  const auto exception = static_cast<ExceptionClass>(esr >> 26 & 0x3F);
  const Hypervisor& hyp = hypervisor();
  if (exception == ExceptionClass::hvc64 && !hyp.handlers.serror.installed()) [[likely]] {
    hyp.dispatcher.handle(regs, hyp.modules);
    return;
  }
  handle_rest(regs, esr, exception);
}
