// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu sweep`: lets every step of a load fail in turn, and judges each outcome
// (docs/sweep.md).
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "run_options.h"
#include "sweep_walk.h"
#include "volume.h"

namespace pkvmemu::tool {

class SweepCommand {
 public:
  /// The sub-command becomes part of `app`, which has to outlive this and must not be moved.
  explicit SweepCommand(CLI::App& app);
  SweepCommand(const SweepCommand&) = delete;
  SweepCommand& operator=(const SweepCommand&) = delete;

  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  [[nodiscard]] Outcome<observe::ExitCode> execute(const Volume& volume) const;

 private:
  [[nodiscard]] Outcome<SweepModes> modes() const;
  [[nodiscard]] Outcome<RunOptions> run_options() const;
  [[nodiscard]] Outcome<unsigned> jobs() const;
  [[nodiscard]] std::vector<std::string> replay_line() const;
  [[nodiscard]] Outcome<observe::ExitCode> replay(RunOptions options, const Volume& volume) const;

  CLI::App* command_;
  RunOptionsParser parser_;
  std::string sites_;
  std::string json_;
  std::string shard_;
  std::string jobs_;
  std::string replay_;
  bool once_ = false;
  bool persistent_ = false;
  bool pairs_ = false;
  bool corrupt_ = false;
  bool resume_ = false;
  bool all_ = false;
};

}  // namespace pkvmemu::tool
