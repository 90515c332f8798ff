// SPDX-License-Identifier: GPL-2.0-only
// Calls the hypervisor again and again, which answers by itself: what a call costs is for the
// benchmark.
#include "guest/guest.h"
#include "pkvm/smccc.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  for (std::uint64_t i = 0; i < pkvm::guest::benchmark_rounds; ++i)
    hvc(pkvm::smccc::version_id);
  print("called and answered\n");
}
