// SPDX-License-Identifier: GPL-2.0-only
// Looks whether vectors, keys of pointer authentication and the virtual timer are as after a reset,
// leaves something in them, and looks again behind exits to the host, between which other guests
// run.
#include <array>

#include "guest/guest.h"
#include "pkvm/vm.h"

using namespace pkvmemu::guest;  // NOLINT(google-build-using-namespace): a whole program
namespace layout = pkvm::guest;

namespace {

constexpr unsigned exits = 8;
constexpr std::size_t kept_registers = 9;  // the first of them; timers go on by themselves
using Registers = std::array<std::uint64_t, kept_registers + 2>;

// CPACR_EL1.FPEN (Arm ARM D17.2.33): FP and AdvSIMD are not trapped.
void allow_vectors() {
  constexpr std::uint64_t fpen = std::uint64_t{3} << 20;
  asm volatile("msr cpacr_el1, %0\n\tisb" ::"r"(fpen));
}

// FPCR and all of V are zero after a reset only in a machine that makes them so; ours does.
Registers read_all() {
  Registers is{};
  asm volatile(
      ".arch armv8.3-a\n\t"
      "fmov %0, d0\n\tfmov %1, d8\n\tfmov %2, v31.d[1]\n\tmrs %3, fpcr\n\tmrs %4, apiakeylo_el1"
      : "=r"(is[0]), "=r"(is[1]), "=r"(is[2]), "=r"(is[3]), "=r"(is[4]));
  asm volatile(
      ".arch armv8.3-a\n\t"
      "mrs %0, apibkeyhi_el1\n\tmrs %1, apdakeylo_el1\n\tmrs %2, apdbkeylo_el1\n\t"
      "mrs %3, apgakeyhi_el1\n\tmrs %4, cntv_cval_el0\n\tmrs %5, cntv_ctl_el0"
      : "=r"(is[5]), "=r"(is[6]), "=r"(is[7]), "=r"(is[8]), "=r"(is[9]), "=r"(is[10]));
  constexpr std::uint64_t enabled = 1;  // ISTATUS is the clock's
  is[10] &= enabled;
  return is;
}

void write_all(const Registers& to) {
  asm volatile(
      ".arch armv8.3-a\n\t"
      "fmov d0, %0\n\tfmov d8, %1\n\tfmov v31.d[1], %2\n\tmsr fpcr, %3\n\tmsr apiakeylo_el1, %4" ::
          "r"(to[0]),
      "r"(to[1]), "r"(to[2]), "r"(to[3]), "r"(to[4]));
  asm volatile(
      ".arch armv8.3-a\n\t"
      "msr apibkeyhi_el1, %0\n\tmsr apdakeylo_el1, %1\n\tmsr apdbkeylo_el1, %2\n\t"
      "msr apgakeyhi_el1, %3\n\tmsr cntv_cval_el0, %4\n\tisb" ::"r"(to[5]),
      "r"(to[6]), "r"(to[7]), "r"(to[8]), "r"(to[9]));
}

bool are_kept(const Registers& left) {
  const Registers found = read_all();
  for (std::size_t i = 0; i < kept_registers; ++i)
    if (found[i] != left[i]) return false;
  return true;
}

}  // namespace

extern "C" void guest_main(std::uint64_t /*argument*/) {
  open_console();
  hvc(pkvm::guest_call::mmio_guard_map, layout::mailbox_ipa);
  allow_vectors();
  bool as_reset = true;
  for (const std::uint64_t value : read_all())
    as_reset = as_reset && value == 0;
  print(as_reset ? "registers are as after a reset\n"
                 : "somebody left something in the registers\n");

  constexpr std::uint64_t rounding_mode = std::uint64_t{3} << 22;  // FPCR.RMode
  std::uint64_t mine = 0;                                          // another for each guest
  asm volatile("mrs %0, cntvct_el0" : "=r"(mine));
  Registers left{};
  for (std::size_t i = 0; i < left.size(); ++i)
    left[i] = ~(mine << i);
  left[3] = rounding_mode;
  write_all(left);
  bool kept = true;
  for (unsigned i = 0; i < exits; ++i) {
    write_mmio(layout::ignored_ipa, i);
    kept = kept && are_kept(left);
  }
  print(kept ? "registers are kept\n" : "registers were changed\n");
}
