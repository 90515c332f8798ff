// SPDX-License-Identifier: GPL-2.0-only
// What a guest does that its hypervisor traps: SMCs, of which modules may take some, registers that
// it is not to know or to change, and waiting.
#include "guest/guest.h"
#include "pkvm/smccc.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program

namespace {

void smc(std::uint64_t id, std::uint64_t argument) {
  register std::uint64_t r0 asm("x0") = id;
  register std::uint64_t r1 asm("x1") = argument;
  register std::uint64_t r17 asm("x17") = 0;
  asm volatile("smc #0"
               : "+r"(r0), "+r"(r1), "+r"(r17)::"x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9",
                 "x10", "x11", "x12", "x13", "x14", "x15", "x16", "memory");
  print("smc ");
  print_hex(id);
  print(": x0 ");
  print_hex(r0);
  print(", x1 ");
  print_hex(r1);
  print(", x17 ");
  print_hex(r17);
  print("\n");
}

void show_exception(std::string_view what) {
  const Exception seen = expected_exception();
  print(what);
  print(seen.esr == 0 ? ": done" : ": ESR ");
  if (seen.esr != 0) print_hex(seen.esr);
  print("\n");
}

/// Fields of ID_AA64PFR0_EL1 (Arm ARM D17.2.68): EL2 at 11:8, EL3 at 15:12, SVE at 35:32.
void show_features() {
  std::uint64_t features = 0;
  asm volatile("mrs %0, id_aa64pfr0_el1" : "=r"(features));
  print("EL2 ");
  print_number(features >> 8 & 0xF);
  print(", EL3 ");
  print_number(features >> 12 & 0xF);
  print(", SVE ");
  print_number(features >> 32 & 0xF);
  print("\n");
}

}  // namespace

extern "C" void guest_main(std::uint64_t /*argument*/) {
  constexpr std::uint64_t vendor_call = 0xc200'0020;
  open_console();
  for (std::uint64_t id = vendor_call; id < vendor_call + 3; ++id)
    smc(id, 5);
  smc(pkvm::psci::version, 5);
  smc(0xc400'01cf, 5);

  show_features();
  std::uint64_t auxiliary = 0;
  asm volatile("msr actlr_el1, %0" ::"r"(~std::uint64_t{0}));
  asm volatile("mrs %0, actlr_el1" : "=r"(auxiliary));
  print("ACTLR_EL1 ");
  print_hex(auxiliary);
  print("\n");
  expect_exception();
  asm volatile("mrs %0, s3_0_c15_c0_0" : "=r"(auxiliary));
  show_exception("an implementation's own register");
  asm volatile("wfi\n wfe");
  print("waited\n");
}
