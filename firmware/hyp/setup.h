// SPDX-License-Identifier: GPL-2.0-only
// __pkvm_init (pkvm-abi.md 5.3, 7.1, 7.4): from the host's first tables to the hypervisor's own.
//
//   build_tables  still on the host's: own stage 1 and vmemmap, from the front of the pool
//   (change of tables and stack, in the idmap)
//   finish        the pool, the host's stage 2, ownership of what the hypervisor already has
#pragma once

#include "hyp/abi_types.h"
#include "hyp/hypervisor.h"

namespace pkvmemu::hyp {

struct InitArguments {
  PaRange pool;
  std::uint64_t cpus;
  std::uint64_t va_bits;
};

/// The call: on success it leaves EL2 with x0 = x1 = 0 and does not return; else x1 has the error.
void pkvm_init(user_pt_regs* regs);

}  // namespace pkvmemu::hyp
