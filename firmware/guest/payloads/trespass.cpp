// SPDX-License-Identifier: GPL-2.0-only
// Touches what is neither its memory nor a device's: each access ends in an external abort.
#include "guest/guest.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program
namespace layout = pkvm::guest;

namespace {

void report(std::string_view what) {
  const Exception seen = expected_exception();
  print(what);
  if (seen.esr == 0) {
    print(": went through\n");
    return;
  }
  print(": ESR ");
  print_hex(seen.esr);
  print(", FAR ");
  print_hex(seen.far);
  print("\n");
}

}  // namespace

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  expect_exception();
  read_mmio<std::uint64_t>(layout::nowhere_ipa);
  report("read");
  expect_exception();
  write_mmio(layout::nowhere_ipa + 8, 1);
  report("write");
  expect_exception();
  read_mmio<std::uint64_t>(layout::ram_ipa + layout::ram_size);
  report("beyond RAM");
}
