// SPDX-License-Identifier: GPL-2.0-only
#include "child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

extern char** environ;

namespace pkvmemu::bench {

Result<ChildRun> run_child(const std::vector<std::string>& command) {
  std::vector<std::string> arguments = command;
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int spawned = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) return fail("{}: cannot start: {}", command[0], std::strerror(spawned));

  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child) return fail("{}: lost", command[0]);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail("{}: ended with status {:#x}", command[0], status);
  return ChildRun{.seconds = elapsed.count(),
                  .resident_mib = static_cast<double>(usage.ru_maxrss) / 1024};
}

}  // namespace pkvmemu::bench
