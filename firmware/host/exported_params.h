// SPDX-License-Identifier: GPL-2.0-only
// The kernel's side of module parameters: the operations that modules refer to are exported by
// exported_params.cpp; this is how the loader calls them.
#pragma once

#include <cstdint>

namespace pkvmemu::host {

/// Sets the struct kernel_param at this address. `value` is null for a bare name, which only
/// switches allow. 0 or a negated errno.
int set_kernel_parameter(std::uint64_t record, const char* value);

}  // namespace pkvmemu::host
