// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu report`: records of a sweep's workers and shards, put together and told
// (docs/sweep.md).
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "volume.h"

namespace pkvmemu::tool {

enum class ReportFormat : std::uint8_t { table, junit, tap, jsonl, html };

class ReportCommand {
 public:
  /// The sub-command becomes part of `app`, which has to outlive this and must not be moved.
  explicit ReportCommand(CLI::App& app);
  ReportCommand(const ReportCommand&) = delete;
  ReportCommand& operator=(const ReportCommand&) = delete;

  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  [[nodiscard]] Outcome<observe::ExitCode> execute(const Volume& volume) const;

 private:
  [[nodiscard]] ReportFormat format() const;

  CLI::App* command_;
  std::vector<std::string> inputs_;
  std::optional<ReportFormat> format_;
  std::string output_;
  bool all_ = false;
};

}  // namespace pkvmemu::tool
