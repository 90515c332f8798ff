// SPDX-License-Identifier: GPL-2.0-only
#include "build/process.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "support/log.h"

namespace pkvmemu::build {
namespace {

// Shared with a signal's handler.
std::atomic<pid_t> running = 0;
std::atomic<bool> stopped = false;
static_assert(std::atomic<pid_t>::is_always_lock_free);

/// A file descriptor with one owner.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

/// What happens in the child between fork and exec.
class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  void change_directory(const std::filesystem::path& directory) {
    posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }
  void input_from_nowhere() {
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  void output_to(int fd) {
    posix_spawn_file_actions_adddup2(&actions_, fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, fd, STDERR_FILENO);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// Only what a program needs to be found and to put its temporary files somewhere: CPATH,
/// SOURCE_DATE_EPOCH and their like would make the output depend on who builds.
std::vector<std::string> clean_environment() {
  std::vector<std::string> variables{"LC_ALL=C"};
  for (const char* name : {"PATH", "TMPDIR", "HOME"})
    if (const char* value = std::getenv(name)) variables.push_back(std::string(name) + "=" + value);
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& string : strings)
    pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Result<int> wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return fail("cannot wait for a child process: {}", std::strerror(errno));
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

void stop_processes() {
  stopped = true;
  if (const pid_t child = running; child > 0) kill(child, SIGTERM);
}

Result<ProcessResult> run_process(const Arguments& arguments,
                                  const std::filesystem::path& directory) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail("cannot create a pipe: {}", std::strerror(errno));
  const Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);

  FileActions actions;
  actions.change_directory(directory);
  actions.input_from_nowhere();
  actions.output_to(writer.get());

  log::info("{}", fmt::join(arguments, " "));
  std::vector<std::string> strings = arguments;
  std::vector<std::string> variables = clean_environment();
  if (stopped) return fail("{}: not run: interrupted", arguments[0]);
  pid_t child = 0;
  const int error = posix_spawnp(&child, strings[0].c_str(), actions.get(), nullptr,
                                 pointers_to(strings).data(), pointers_to(variables).data());
  if (error != 0)
    return fail(
        "{}: cannot run: {} (clang-19, lld-19 and llvm-19 build modules; ./tools/setup "
        "installs them)",
        arguments[0], std::strerror(error));
  writer.reset();
  running = child;
  if (stopped) kill(child, SIGTERM);  // the signal came just before

  ProcessResult result;
  result.output = read_all(reader.get());
  const Result<int> code = wait_for(child);
  running = 0;
  if (!code) return std::unexpected(code.error());
  result.exit_code = *code;
  return result;
}

}  // namespace pkvmemu::build
