// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu sites`: the steps of the firmware that can be made to fail (docs/faults.md).
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>

#include "failure.h"
#include "volume.h"

namespace pkvmemu::tool {

class SitesCommand {
 public:
  /// The sub-command becomes part of `app`, which has to outlive this and must not be moved.
  explicit SitesCommand(CLI::App& app);
  SitesCommand(const SitesCommand&) = delete;
  SitesCommand& operator=(const SitesCommand&) = delete;

  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  [[nodiscard]] Outcome<observe::ExitCode> execute(const Volume& volume) const;

 private:
  CLI::App* command_;
  std::string pattern_;
  std::string firmware_;
  bool json_ = false;
};

}  // namespace pkvmemu::tool
