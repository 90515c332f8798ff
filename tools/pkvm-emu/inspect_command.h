// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu inspect MODULE.ko`: what can be known about a module before any run (docs/inspect.md).
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "failure.h"
#include "volume.h"

namespace pkvmemu::tool {

class InspectCommand {
 public:
  /// The sub-command becomes part of `app`, which has to outlive this and must not be moved.
  explicit InspectCommand(CLI::App& app);
  InspectCommand(const InspectCommand&) = delete;
  InspectCommand& operator=(const InspectCommand&) = delete;

  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  [[nodiscard]] Outcome<observe::ExitCode> execute(const Volume& volume) const;

 private:
  CLI::App* command_;
  std::string file_;
  bool json_ = false;
  bool all_ = false;
};

}  // namespace pkvmemu::tool
