// SPDX-License-Identifier: GPL-2.0-only
// Prints from EL1 and powers off.
#include "guest/guest.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  std::uint64_t level = 0;
  asm volatile("mrs %0, currentel" : "=r"(level));
  print("hello from EL");
  print_number(level >> 2);
  print(" of a guest\n");
}
