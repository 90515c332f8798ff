// SPDX-License-Identifier: GPL-2.0-only
// What a run consists of, whichever machine carries it out: initramfs, command line, and what the
// report is to be about. Everything the user can get wrong in a file is found here, before a start.
#pragma once

#include <string>
#include <vector>

#include "failure.h"
#include "observe/report.h"
#include "pkvm/generation.h"
#include "run_options.h"
#include "support/file.h"

namespace pkvmemu::tool {

struct RunPlan {
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  Bytes initramfs;  ///< plain newc
  std::string bootargs;
  std::vector<observe::ModuleRequest> modules;
  std::vector<observe::CallRequest> calls;  ///< in the order in which the guest makes them
  std::vector<std::string> touches;         ///< likewise
  bool runs_guests = false;                 ///< in virtual machines
};

Outcome<RunPlan> make_plan(const RunOptions& options);

}  // namespace pkvmemu::tool
