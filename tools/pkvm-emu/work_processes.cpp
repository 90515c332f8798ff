// SPDX-License-Identifier: GPL-2.0-only
#include "work_processes.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

namespace pkvmemu::tool {
namespace {

constexpr int crashed_code = 70;  // a bug of pkvm-emu, as for every command

/// Notes Ctrl-C; a second one ends the process as usual, and with it its children.
class NotesSignals {
 public:
  NotesSignals() {
    was_seen = 0;
    struct sigaction action = {};
    action.sa_handler = [](int) { was_seen = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
  }
  ~NotesSignals() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }
  NotesSignals(const NotesSignals&) = delete;
  NotesSignals& operator=(const NotesSignals&) = delete;

  static bool seen() { return was_seen != 0; }

 private:
  static inline volatile std::sig_atomic_t was_seen = 0;
  struct sigaction interrupt_ = {};
  struct sigaction terminate_ = {};
};

struct Child {
  pid_t process = 0;
  int pipe = -1;
  std::size_t index = 0;
  std::string answer{};
};

/// Holds signals back while a child comes into being: until it has handlers of its own it must not
/// take one with ours, which would only note it there.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, &before_);
  }
  ~HeldSignals() { release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  void release() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

[[noreturn]] void run_in_child(const WorkPlan& plan, std::size_t index, int pipe) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int code = 0;
  std::string answer;
  try {
    answer = plan.work(index);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "pkvm-emu: internal error: %s\n", problem.what());
    code = crashed_code;
  }
  for (std::size_t sent = 0; sent < answer.size();) {
    const ssize_t now = write(pipe, answer.data() + sent, answer.size() - sent);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) _exit(crashed_code);
    sent += static_cast<std::size_t>(now);
  }
  _exit(code);
}

class Workers {
 public:
  explicit Workers(const WorkPlan& plan) : plan_(plan) {}

  bool run() {
    const NotesSignals signals;
    while (next_ < plan_.count || !children_.empty()) {
      if (NotesSignals::seen()) stop();
      if (stopped_ && children_.empty()) break;
      while (!stopped_ && next_ < plan_.count && children_.size() < plan_.at_once)
        start(next_++);
      wait();
    }
    hand_over(plan_.count);
    return !stopped_;
  }

 private:
  void start(std::size_t index) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0)
      throw std::runtime_error(fmt::format("cannot create a pipe: {}", std::strerror(errno)));
    std::fflush(nullptr);  // what is still in a buffer is not the child's to write
    HeldSignals held;
    const pid_t process = fork();
    if (process < 0)
      throw std::runtime_error(fmt::format("cannot start a process: {}", std::strerror(errno)));
    if (process == 0) {
      std::signal(SIGINT, SIG_DFL);
      std::signal(SIGTERM, SIG_DFL);
      held.release();
      close(ends[0]);
      for (const Child& other : children_)
        close(other.pipe);
      run_in_child(plan_, index, ends[1]);
    }
    close(ends[1]);
    children_.push_back({.process = process, .pipe = ends[0], .index = index});
  }

  /// A terminal has told the children as well; whoever signalled only us has not.
  void stop() {
    if (std::exchange(stopped_, true)) return;
    for (const Child& child : children_)
      kill(child.process, SIGINT);
  }

  /// For something to read from one of the children.
  void wait() {
    std::vector<pollfd> pipes;
    for (const Child& child : children_)
      pipes.push_back({.fd = child.pipe, .events = POLLIN, .revents = 0});
    constexpr int a_while = 200;  // a signal between the look for it and here is seen then
    if (poll(pipes.data(), pipes.size(), a_while) <= 0) return;
    for (const pollfd& each : pipes)
      if (each.revents != 0) read_from(each.fd);
  }

  void read_from(int pipe) {
    const auto child = std::ranges::find(children_, pipe, &Child::pipe);
    std::array<char, 4096> chunk{};
    const ssize_t got = read(pipe, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) return;
    if (got > 0) {
      child->answer.append(chunk.data(), static_cast<std::size_t>(got));
      return;
    }
    close(pipe);
    int status = 0;
    while (waitpid(child->process, &status, 0) < 0 && errno == EINTR) {
    }
    WorkEnd end{.answer = std::move(child->answer), .signal = {}, .exit_code = 0};
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    ends_.emplace(child->index, std::move(end));
    children_.erase(child);
    hand_over(next_);
  }

  /// What is done, up to the first that is not.
  void hand_over(std::size_t limit) {
    for (; handed_ < limit; ++handed_) {
      const auto end = ends_.find(handed_);
      if (end == ends_.end()) return;
      plan_.done(handed_, end->second);
      ends_.erase(end);
    }
  }

  const WorkPlan& plan_;
  std::vector<Child> children_;
  std::map<std::size_t, WorkEnd> ends_;
  std::size_t next_ = 0;
  std::size_t handed_ = 0;
  bool stopped_ = false;
};

}  // namespace

bool do_work(const WorkPlan& plan) {
  return Workers(plan).run();
}

}  // namespace pkvmemu::tool
