// SPDX-License-Identifier: GPL-2.0-only
// `pkvm-emu build`: a module from its folder or its sources (docs/building.md). pkvm-modbuild,
// which our own build runs before pkvm-emu exists, takes the same arguments.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "build/module_builder.h"
#include "failure.h"
#include "observe/exit_code.h"
#include "volume.h"

namespace pkvmemu::tool {

struct BuildOptions {
  build::ModuleSpec spec;
  std::string output;
};

/// Declares the options and reads them after they were parsed; stays where it is meanwhile.
class BuildOptionsParser {
 public:
  explicit BuildOptionsParser(CLI::App& command);
  BuildOptionsParser(const BuildOptionsParser&) = delete;
  BuildOptionsParser& operator=(const BuildOptionsParser&) = delete;

  Outcome<BuildOptions> options() const;

 private:
  Outcome<build::ModuleSpec> from_folder(const std::string& folder) const;
  Outcome<build::ModuleSpec> from_sources() const;
  Outcome<void> add_dependencies(build::ModuleSpec& spec) const;
  Outcome<std::string> name_for(const std::vector<std::filesystem::path>& el1_sources) const;

  std::vector<std::string> inputs_;
  std::vector<std::filesystem::path> el1_sources_;
  std::vector<std::filesystem::path> el2_sources_;
  std::vector<std::filesystem::path> include_directories_;
  std::vector<std::string> defines_;
  std::vector<std::string> depends_;
  std::string name_;
  std::string output_;
  std::string sdk_;
  pkvm::Generation generation_ = pkvm::Generation::android15_6_6;
  build::Cfi cfi_ = build::Cfi::plain;
  CLI::Option* cfi_option_ = nullptr;
  bool fatal_warnings_ = false;
};

/// Writes the module; the compiler's warnings go to stderr. What the module will need when it is
/// loaded is the answer.
Outcome<std::string> build_and_write(const BuildOptions& options);

class BuildCommand {
 public:
  explicit BuildCommand(CLI::App& app);

  bool chosen() const { return command_->parsed(); }
  Outcome<observe::ExitCode> execute(const Volume& volume) const;

 private:
  CLI::App* command_;
  BuildOptionsParser parser_;
};

}  // namespace pkvmemu::tool
