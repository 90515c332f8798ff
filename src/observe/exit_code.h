// SPDX-License-Identifier: GPL-2.0-only
// Exit codes of the command line: a closed, documented set (docs/cli.md). Scripts rely on them, so
// a number never changes its meaning.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pkvmemu::observe {

enum class ExitCode : std::uint8_t {
  good = 0,
  usage = 2,             ///< the command line was not understood
  bad_file = 3,          ///< a file is missing or not what it should be
  load_failed = 10,      ///< a module did not load
  call_failed = 11,      ///< a call was not made, or answered x0 != 0; a fault never came to pass
  hyp_panic = 12,        ///< EL2 panicked
  host_panic = 13,       ///< the EL1 kernel panicked by itself
  no_end = 14,           ///< budget spent, wedged or halted: the guest never powered off
  op_missing = 15,       ///< an op that does not exist yet was used
  unexpected = 16,       ///< what a plan expects did not come
  found = 20,            ///< cases of a sweep are bugs, panics, hangs, or lost
  scenario_failed = 21,  ///< `test`: a scenario did not go as it expects
  internal = 70,         ///< a bug of pkvm-emu's
  interrupted = 130,     ///< Ctrl-C: 128 + SIGINT, as shells do
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view meaning;
};

/// What a run can end with. When several apply, the first row that does is the answer; an
/// interrupted run is judged no further.
inline constexpr std::array run_exit_codes = {
    ExitCodeRow{ExitCode::interrupted, "interrupted"},
    ExitCodeRow{ExitCode::internal, "a bug of pkvm-emu"},
    ExitCodeRow{ExitCode::unexpected, "what the plan expects did not come"},
    ExitCodeRow{ExitCode::host_panic, "the host kernel panicked"},
    ExitCodeRow{ExitCode::hyp_panic, "the hypervisor panicked"},
    ExitCodeRow{ExitCode::no_end, "budget spent, or the guest hangs"},
    ExitCodeRow{ExitCode::op_missing, "an op that does not exist yet was used"},
    ExitCodeRow{ExitCode::load_failed, "a module did not load"},
    ExitCodeRow{ExitCode::call_failed, "a call was not made or answered x0 != 0"},
    ExitCodeRow{ExitCode::good, "good"},
};

}  // namespace pkvmemu::observe
