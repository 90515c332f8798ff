// SPDX-License-Identifier: GPL-2.0-only
#include "harness/emulator.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace pkvmemu::test {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string build_file(std::string_view relative) {
  return std::string(PKVMEMU_BUILD_DIR) + "/" + std::string(relative);
}

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void redirect(int descriptor, const std::string& path, int flags) {
    posix_spawn_file_actions_addopen(&actions_, descriptor, path.c_str(), flags, 0600);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

ScratchDirectory::ScratchDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "pkvm-emu-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ProcessResult run_process(const Arguments& command, unsigned timeout_seconds) {
  const ScratchDirectory scratch;
  const std::string out = scratch.path() / "out";
  const std::string err = scratch.path() / "err";
  SpawnActions actions;
  actions.redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
  actions.redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
  actions.redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC);

  // timeout(1) keeps the watch: it exits with 124, or 137 after a kill.
  Arguments watched{"timeout", "-k", "5", std::to_string(timeout_seconds)};
  watched.insert(watched.end(), command.begin(), command.end());
  std::vector<char*> argv;
  argv.reserve(watched.size() + 1);
  for (std::string& argument : watched)
    argv.push_back(argument.data());
  argv.push_back(nullptr);

  pid_t child = 0;
  if (posix_spawnp(&child, argv[0], actions.get(), nullptr, argv.data(), environ) != 0)
    throw std::runtime_error("cannot start " + command.front());
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read_text(out),
          .err = read_text(err),
          .peak_kib = usage.ru_maxrss};
}

EmulatorRun run_emulator(const Arguments& arguments) {
  const ScratchDirectory scratch;
  const std::string json_file = scratch.path() / "report.json";
  Arguments command{build_file("bin/pkvm-emu"), "run", "--json", json_file};
  command.insert(command.end(), arguments.begin(), arguments.end());

  EmulatorRun run;
  run.process = run_process(command);
  const std::string text = read_text(json_file);
  if (text.empty()) return run;
  run.report = nlohmann::json::parse(text);
  run.console = split_lines(run.report.at("console").get<std::string>());
  return run;
}

std::vector<std::string> run_qemu(const Arguments& arguments) {
  const ScratchDirectory scratch;
  const std::string directory = scratch.path() / "qemu";
  Arguments command{build_file("bin/pkvm-emu"), "run", "--export-qemu", directory};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const ProcessResult exported = run_process(command);
  if (exported.exit_code != 0)
    throw std::runtime_error("--export-qemu failed: " + exported.out + exported.err);

  const ProcessResult run = run_process({directory + "/run.sh"});
  if (run.exit_code != 0)
    throw std::runtime_error("qemu exited with " + std::to_string(run.exit_code) + ": " + run.out +
                             run.err);
  return split_lines(run.out);
}

std::string module(std::string_view name) {
  return build_file("modules/" + std::string(name) + ".ko");
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::string line;
  for (const char c : text) {
    if (c == '\r') continue;
    if (c != '\n') {
      line += c;
      continue;
    }
    lines.push_back(line);
    line.clear();
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

std::vector<std::string> lines_with(const std::vector<std::string>& lines, std::string_view part) {
  std::vector<std::string> found;
  for (const std::string& line : lines)
    if (line.contains(part)) found.push_back(line);
  return found;
}

}  // namespace pkvmemu::test
