// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu new`: a module's folder to begin with, which builds and runs at once.
#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>

#include "failure.h"
#include "observe/exit_code.h"
#include "volume.h"

namespace pkvmemu::tool {

/// Writes the folder; nothing is left of it when that fails, and nothing is overwritten.
Outcome<void> write_new_module(const std::string& name, const std::filesystem::path& folder);

class NewCommand {
 public:
  explicit NewCommand(CLI::App& app);
  NewCommand(const NewCommand&) = delete;
  NewCommand& operator=(const NewCommand&) = delete;

  bool chosen() const { return command_->parsed(); }
  Outcome<observe::ExitCode> execute(const Volume& volume) const;

 private:
  CLI::App* command_;
  std::string name_;
  std::string folder_;
};

}  // namespace pkvmemu::tool
