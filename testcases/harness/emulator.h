// SPDX-License-Identifier: GPL-2.0-only
// Runs the product as a user does: the pkvm-emu binary of this build, and the same job exported to
// QEMU. For system and conformance tests.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pkvmemu::test {

using Arguments = std::vector<std::string>;

struct ProcessResult {
  int exit_code = -1;  ///< 128 + signal when killed by one
  std::string out;
  std::string err;
  long peak_kib = 0;  ///< the most memory that the process held at once
};

/// Runs a program to its end; killed after `timeout_seconds` (a guest that hangs fails its test).
ProcessResult run_process(const Arguments& command, unsigned timeout_seconds = 60);

struct EmulatorRun {
  ProcessResult process;
  nlohmann::json report;  ///< what --json wrote; null when it wrote nothing
  /// The guest's console, split into lines without CR and LF.
  std::vector<std::string> console;
};

/// `pkvm-emu run ARGS... --json ...`.
EmulatorRun run_emulator(const Arguments& arguments);

/// The same job under qemu-system-aarch64, by `--export-qemu`; the console's lines.
std::vector<std::string> run_qemu(const Arguments& arguments);

/// Path of a module that the build made: module("hello") is build/<preset>/modules/hello.ko.
std::string module(std::string_view name);

/// Lines of a console without the line ends' CR and LF.
std::vector<std::string> split_lines(std::string_view text);

/// The lines that contain `part`.
std::vector<std::string> lines_with(const std::vector<std::string>& lines, std::string_view part);

/// A directory of its own for one test, removed at the end.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace pkvmemu::test
