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

}  // namespace

}  // namespace pkvmemu::hyp

void hyp_handle_trap(user_pt_regs* regs) {
  using namespace pkvmemu::hyp;  // NOLINT(google-build-using-namespace): the C entry point
  const std::uint64_t esr = pkvmemu::arch::read<pkvmemu::arch::Sysreg::esr_el2>();
  const auto exception = static_cast<ExceptionClass>(esr >> 26 & 0x3F);
  Hypervisor& hyp = hypervisor();
  if (exception == ExceptionClass::hvc64) [[likely]] {
    hyp.dispatcher.handle(regs, hyp.modules);
    return;
  }
  for (const Row& row : rows)
    if (row.exception == exception) {
      row.handler(regs, esr);
      return;
    }
  // No module can have registered a default trap handler: fatal (pkvm-abi.md 8.2).
  pkvmemu::arch::bug();
}
