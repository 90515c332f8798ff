// SPDX-License-Identifier: GPL-2.0-only
// Switches on a second vCPU, waits for it, and powers off. It waits by accesses to a device, at
// which the monitor lets other vCPUs run: there are no interrupts that would take a vCPU from its
// CPU.
#include "guest/guest.h"
#include "pkvm/smccc.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program

namespace {
constinit std::uint64_t second_is_done = 0;

std::uint64_t own_affinity() {
  std::uint64_t mpidr = 0;
  asm volatile("mrs %0, mpidr_el1" : "=r"(mpidr));
  return mpidr & 0xFF;
}
}  // namespace

extern "C" void guest_secondary_main(std::uint64_t argument) {
  print("vCPU ");
  print_number(own_affinity());
  print(" runs with ");
  print_number(argument);
  print("\n");
  __atomic_store_n(&second_is_done, 1, __ATOMIC_RELEASE);
}

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  constexpr std::uint64_t argument = 42;
  const auto entry = reinterpret_cast<std::uint64_t>(&guest_secondary);
  const CallResult on = hvc(pkvm::psci::cpu_on64, 1, entry, argument);
  print(on[0] == 0 ? "CPU_ON: 0\n" : "CPU_ON: refused\n");
  while (on[0] == 0 && __atomic_load_n(&second_is_done, __ATOMIC_ACQUIRE) == 0)
    read_mmio<std::uint32_t>(pkvm::guest::uart_ipa + pkvm::guest::uart_flags_offset);
  print("vCPU ");
  print_number(own_affinity());
  print(" has seen it\n");
}
