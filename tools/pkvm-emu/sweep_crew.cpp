// SPDX-License-Identifier: GPL-2.0-only
#include "sweep_crew.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace pkvmemu::tool {
namespace {

std::string end_of(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("the worker died of signal {} ({})", WTERMSIG(status),
                       ::strsignal(WTERMSIG(status)));
  return fmt::format("the worker ended with exit code {}", WEXITSTATUS(status));
}

/// A case that nobody can tell the end of.
campaign::CaseRecord lost_case(const std::string& id, const std::string& why) {
  campaign::CaseRecord record;
  record.id = id;
  record.outcome = campaign::Outcome::lost;
  record.why = why + ": a bug of pkvm-emu's";
  return record;
}

}  // namespace

void Telling::fail(const Failure& failure) const {
  say(Word::failure, fmt::format("{} {}", static_cast<int>(failure.code), failure.message));
}

void Telling::say(Word word, std::string_view text) const {
  std::string line(1, static_cast<char>(word));
  line += text;
  if (!line.ends_with('\n')) line += '\n';
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(pipe_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);  // the parent is gone: nobody listens
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

Outcome<void> SweepCrew::start(Worker& worker) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return file_error("no pipe for a worker: {}", std::strerror(errno));
  std::fflush(nullptr);  // what is buffered belongs to the parent
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return file_error("no process for a worker: {}", std::strerror(errno));
  if (child == 0) {
    // With the parent the worker goes, too. Ctrl-C is the parent's to hear.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    std::signal(SIGINT, SIG_IGN);
    ::close(ends[0]);
    duties_.work(Telling(ends[1]), worker.number, done_);
    ::_exit(0);  // not the parent's destructors and buffers
  }
  ::close(ends[1]);
  worker.process = child;
  worker.pipe = ends[0];
  worker.unread.clear();
  worker.at_case.clear();
  worker.heard = Clock::now();
  return {};
}

Outcome<void> SweepCrew::take_line(Worker& worker, std::string_view line) {
  if (line.empty()) return {};
  const auto word = static_cast<Word>(line.front());
  line.remove_prefix(1);
  switch (word) {
    case Word::begin:
      worker.at_case = line;
      return {};
    case Word::sweep:
    case Word::end: {
      auto record = campaign::parse_line(line);
      if (!record) return as_file_error(record.error());
      if (const auto* one = std::get_if<campaign::CaseRecord>(&*record)) done_.insert(one->id);
      worker.at_case.clear();
      if (word == Word::end) worker.vain = 0;
      return duties_.keep(*record);
    }
    case Word::done:
      worker.done = true;
      return {};
    case Word::failure: {
      int code = 0;
      const char* end = std::from_chars(line.data(), line.data() + line.size(), code).ptr;
      const auto message = line.substr(static_cast<std::size_t>(end - line.data()));
      return std::unexpected(Failure{.code = static_cast<observe::ExitCode>(code),
                                     .message = std::string(message.substr(1))});
    }
  }
  return {};
}

Outcome<void> SweepCrew::listen(Worker& worker) {
  constexpr std::size_t chunk = 65'536;
  std::array<char, chunk> buffer{};
  const ssize_t read = ::read(worker.pipe, buffer.data(), buffer.size());
  if (read < 0) return errno == EINTR ? Outcome<void>{} : bury(worker);
  if (read == 0) return bury(worker);
  worker.heard = Clock::now();
  worker.unread.append(buffer.data(), static_cast<std::size_t>(read));
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = worker.unread.find('\n', begin)) != std::string::npos;
       begin = end + 1)
    if (auto taken = take_line(worker, std::string_view(worker.unread).substr(begin, end - begin));
        !taken)
      return taken;
  worker.unread.erase(0, begin);
  return {};
}

/// Its line is cut: it has ended. What it was at is lost, and the rest is another's.
Outcome<void> SweepCrew::bury(Worker& worker) {
  ::close(std::exchange(worker.pipe, -1));
  int status = 0;
  while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
  }
  worker.process = 0;
  if (worker.done) return {};
  return lose_case(worker, end_of(status));
}

Outcome<void> SweepCrew::lose_case(Worker& worker, const std::string& why) {
  constexpr unsigned patience_for_vain = 3;
  if (worker.at_case.empty()) {
    // Between two cases: nothing is lost. One that cannot get to a case never will.
    if (++worker.vain < patience_for_vain) return start(worker);
    return std::unexpected(Failure{
        .code = observe::ExitCode::internal,
        .message =
            fmt::format("{} before it came to a case, {} times in a row", why, patience_for_vain)});
  }
  worker.vain = 0;
  const campaign::CaseRecord lost = lost_case(worker.at_case, why);
  done_.insert(lost.id);
  if (auto kept = duties_.keep(lost); !kept) return kept;
  return start(worker);
}

void SweepCrew::stop_all() {
  for (Worker& worker : workers_) {
    if (worker.process == 0) continue;
    ::kill(worker.process, SIGKILL);
    while (::waitpid(worker.process, nullptr, 0) < 0 && errno == EINTR) {
    }
    ::close(worker.pipe);
    worker.process = 0;
    worker.pipe = -1;
  }
}

Outcome<void> SweepCrew::run(std::set<std::string> done) {
  constexpr int tick_ms = 100;
  done_ = std::move(done);
  workers_.resize(count_);
  Outcome<void> result;
  for (unsigned i = 0; i < count_ && result; ++i) {
    workers_[i].number = i;
    result = start(workers_[i]);
  }
  while (result && std::ranges::any_of(workers_, [](const Worker& one) { return one.pipe >= 0; })) {
    std::vector<pollfd> waits;
    waits.reserve(workers_.size());
    for (const Worker& worker : workers_)
      waits.push_back({.fd = worker.pipe, .events = POLLIN, .revents = 0});
    ::poll(waits.data(), waits.size(), tick_ms);
    if (!duties_.goes_on()) break;
    for (std::size_t i = 0; i < workers_.size() && result; ++i) {
      Worker& worker = workers_[i];
      if (waits[i].revents != 0)
        result = listen(worker);
      else if (worker.pipe >= 0 && Clock::now() - worker.heard > patience_)
        ::kill(worker.process, SIGKILL);  // its end is heard as that of any other
    }
  }
  stop_all();
  return result;
}

}  // namespace pkvmemu::tool
