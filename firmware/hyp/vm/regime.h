// SPDX-License-Identifier: GPL-2.0-only
// Whose stage 2 is in force on this CPU. While a guest is loaded and the hypervisor works for it,
// the guest's; a change of the host's tables needs the host's VMID for its TLB maintenance.
#pragma once

#include <cstdint>

#include "lib/arch.h"

namespace pkvmemu::hyp {

/// The host's VTTBR for a scope, then what was there.
class HostRegime {
 public:
  HostRegime();
  ~HostRegime();
  HostRegime(const HostRegime&) = delete;
  HostRegime& operator=(const HostRegime&) = delete;

 private:
  std::uint64_t vttbr_ = arch::read<arch::Sysreg::vttbr_el2>();
};

}  // namespace pkvmemu::hyp
