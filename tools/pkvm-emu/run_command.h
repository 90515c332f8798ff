// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu run`: boots the firmware with the user's modules and tells how it went.
#pragma once

#include <CLI/App.hpp>

#include "failure.h"
#include "observe/exit_code.h"
#include "run_options.h"
#include "volume.h"

namespace pkvmemu::tool {

/// Runs once, and tells as `run` does.
Outcome<observe::ExitCode> run_and_tell(const RunOptions& options, const Volume& volume);

class RunCommand {
 public:
  explicit RunCommand(CLI::App& app);

  bool chosen() const { return command_->parsed(); }
  Outcome<observe::ExitCode> execute(const Volume& volume) const;

 private:
  CLI::App* command_;
  RunOptionsParser parser_;
};

}  // namespace pkvmemu::tool
