// SPDX-License-Identifier: GPL-2.0-only
// __pkvm_prot_finalize (pkvm-abi.md 6.4): the host's stage 2 goes on, on the calling CPU, and the
// early calls are closed for all.
#pragma once

#include "hyp/status.h"

namespace pkvmemu::hyp {

/// -EPERM on a CPU that has done it.
Status deprivilege_host();

}  // namespace pkvmemu::hyp
