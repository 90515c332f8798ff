// SPDX-License-Identifier: GPL-2.0-only
// Leaves for the host again and again, by a store to a device that ignores it: what an exit costs
// is for the benchmark.
#include "guest/guest.h"
#include "pkvm/vm.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program
namespace layout = pkvm::guest;

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  hvc(pkvm::guest_call::mmio_guard_map, layout::mailbox_ipa);
  for (std::uint64_t i = 0; i < layout::benchmark_rounds; ++i)
    write_mmio(layout::ignored_ipa, i);
  print("left for the host and came back\n");
}
