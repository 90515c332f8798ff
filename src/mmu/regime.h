// SPDX-License-Identifier: GPL-2.0-only
// Translation regimes as the registers that define them, and what the CPU implements (Arm ARM
// D8.1). Not modelled, because no CPU of this machine has it: VHE (HCR_EL2.E2H), 52-bit addresses,
// hardware update of the access flag and dirty state, FEAT_S2FWB, FEAT_TTST, FEAT_E0PD, Secure
// state, big-endian tables. Caches are not modelled, so SCTLR_ELx.{C,I} and HCR_EL2.{CD,ID} change
// nothing.
#pragma once

#include <cstdint>

#include "support/bits.h"

namespace pkvmemu::mmu {

/// What ID_AA64MMFR0_EL1 and ID_AA64MMFR1_EL1 say. The defaults are Unicorn's model MAX.
struct Features {
  unsigned pa_bits = 44;  ///< PARange
  bool xnx = false;       ///< FEAT_XNX: stage 2 tells execution at EL0 from execution at EL1
};

/// Stage 1 of the EL1&0 regime.
struct El1Stage1 {
  std::uint64_t sctlr = 0;
  std::uint64_t tcr = 0;
  std::uint64_t ttbr0 = 0;
  std::uint64_t ttbr1 = 0;
  std::uint64_t mair = 0;
  /// PSTATE.PAN. It denies privileged data accesses to pages that EL0 can reach. The virtual TLB
  /// cannot tell LDTR and STTR from privileged accesses, so a machine that runs EL0 behind a kernel
  /// which relies on them under PAN must leave this false; that costs the check, not correctness of
  /// anything else.
  bool pan = false;
};

/// Stage 2 of the EL1&0 regime. HCR_EL2 is part of it: VM, PTW, DC and TGE decide what happens.
struct Stage2 {
  std::uint64_t hcr = 0;
  std::uint64_t vtcr = 0;
  std::uint64_t vttbr = 0;
};

/// The whole EL1&0 regime: stage-1 tables live at intermediate addresses.
struct El1Regime {
  El1Stage1 stage1{};
  Stage2 stage2{};
};

/// EL2, without VHE.
struct El2Regime {
  std::uint64_t sctlr = 0;
  std::uint64_t tcr = 0;
  std::uint64_t ttbr0 = 0;
  std::uint64_t mair = 0;
};

namespace sctlr {
inline constexpr std::uint64_t m = bit(0);
inline constexpr std::uint64_t wxn = bit(19);
}  // namespace sctlr

namespace hcr {
inline constexpr std::uint64_t vm = bit(0);
inline constexpr std::uint64_t ptw = bit(2);
inline constexpr std::uint64_t dc = bit(12);
inline constexpr std::uint64_t tge = bit(27);
}  // namespace hcr

/// HCR_EL2.DC makes the regime behave as if VM were 1 (Arm ARM D19.2.48).
constexpr bool stage2_enabled(const Stage2& regs) {
  return (regs.hcr & (hcr::vm | hcr::dc)) != 0;
}

/// HCR_EL2.{DC,TGE} make the regime behave as if SCTLR_EL1.M were 0.
constexpr bool stage1_enabled(const El1Regime& regs) {
  return (regs.stage1.sctlr & sctlr::m) != 0 && (regs.stage2.hcr & (hcr::dc | hcr::tge)) == 0;
}

}  // namespace pkvmemu::mmu
