// SPDX-License-Identifier: GPL-2.0-only
// The same job as `pkvm-emu run`, on a Machine of this process, for tests that look at memory and
// event records.
#pragma once

#include <memory>

#include "machine/machine.h"
#include "run_options.h"

namespace pkvmemu::test {

/// A board with this build's firmware, the placeholder pvmfw, and the job of `options`, not
/// started. Throws when it cannot be made: then the test's own arguments are wrong.
std::unique_ptr<machine::Machine> boot_in_process(
    const tool::RunOptions& options, std::uint64_t ram_size = pkvm::platform::default_ram_size);

}  // namespace pkvmemu::test
