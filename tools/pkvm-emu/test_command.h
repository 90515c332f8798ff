// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu test`: runs scenarios and tells which did not go as they expect (docs/scenarios.md).
#pragma once

#include <CLI/App.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "failure.h"
#include "scenario/scenario.h"
#include "test_report.h"
#include "volume.h"

namespace pkvmemu::tool {

class TestCommand {
 public:
  /// The sub-command becomes part of `app`, which has to outlive this and must not be moved.
  explicit TestCommand(CLI::App& app);
  TestCommand(const TestCommand&) = delete;
  TestCommand& operator=(const TestCommand&) = delete;

  [[nodiscard]] bool chosen() const { return command_->parsed(); }
  [[nodiscard]] Outcome<observe::ExitCode> execute(const Volume& volume) const;

 private:
  [[nodiscard]] Outcome<void> check_outputs(std::span<const std::string> files) const;
  [[nodiscard]] Outcome<std::vector<ScenarioCase>> cases(
      const std::vector<scenario::Scenario>& scenarios) const;
  [[nodiscard]] Outcome<void> write_reports(std::span<const CaseReport> reports) const;

  CLI::App* command_;
  std::vector<std::string> inputs_;
  std::vector<std::string> module_folders_;
  std::string filter_;
  std::string kmi_;
  std::string json_;
  std::string junit_;
  std::string tap_;
  std::size_t jobs_ = 0;
  bool list_ = false;
};

}  // namespace pkvmemu::tool
