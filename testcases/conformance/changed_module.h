// SPDX-License-Identifier: GPL-2.0-only
// A module of this build after llvm-objcopy, for files that no build would make.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include "harness/emulator.h"

namespace pkvmemu::test {

class ChangedModule {
 public:
  /// `file` is what module() gives; its file name stays.
  ChangedModule(const std::string& file, const Arguments& options)
      : path_(directory_.path() / std::filesystem::path(file).filename()) {
    Arguments command{"llvm-objcopy-19"};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {file, path_.string()});
    const ProcessResult result = run_process(command);
    if (result.exit_code != 0) throw std::runtime_error(result.out + result.err);
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  ScratchDirectory directory_;
  std::filesystem::path path_;
};

}  // namespace pkvmemu::test
