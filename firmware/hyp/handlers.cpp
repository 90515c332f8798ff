// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/handlers.h"

#include "lib/arch.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

constexpr std::uint64_t hcr_amo = bit(5);

}  // namespace

Status SErrorHandlers::install(const Callback<bool()>& unmask, const Callback<void()>& mask) {
  if (!unmask || !mask) return error(Errno::einval);
  if (installed()) return error(Errno::ebusy);
  unmask_ = unmask;
  mask_ = mask;
  return {};
}

void SErrorHandlers::unmask() const {
  if (!unmask_()) return;
  arch::write<Sysreg::hcr_el2>(arch::read<Sysreg::hcr_el2>() | hcr_amo);
  arch::unmask_serror();
  arch::isb();
}

void SErrorHandlers::mask() const {
  mask_();
  arch::write<Sysreg::hcr_el2>(arch::read<Sysreg::hcr_el2>() & ~hcr_amo);
  arch::mask_serror();
}

}  // namespace pkvmemu::hyp
