// SPDX-License-Identifier: GPL-2.0-only
#include "each_in_child.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <ranges>
#include <stdexcept>
#include <thread>

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_children = 64;
constexpr std::size_t none = ~std::size_t{0};

/// What parent and children share.
struct Board {
  std::atomic<std::size_t> next;
  std::array<std::atomic<std::size_t>, most_children> current;  ///< the file in each one's hands
};

class SharedBoard {
 public:
  SharedBoard()
      : memory_(mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0)) {
    if (memory_ == MAP_FAILED) throw std::runtime_error("no shared memory");
    ::new (memory_) Board{};
  }
  ~SharedBoard() { munmap(memory_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;

  [[nodiscard]] Board& get() const { return *static_cast<Board*>(memory_); }

 private:
  void* memory_;
};

struct CloseFile {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

Complaints run_guarded(const Work& work, const fs::path& path) {
  try {
    return work(path);
  } catch (const std::exception& error) {
    return {fmt::format("threw: {}", error.what())};
  }
}

struct Child {
  std::size_t slot;
  pid_t pid;
  File notes;
};

class Crew {
 public:
  Crew(std::span<const fs::path> files, const Work& work, std::chrono::seconds limit)
      : files_(files), work_(work), limit_(limit) {}

  Complaints run() {
    const std::size_t wanted = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                                       std::min(most_children, files_.size() + 1));
    for (std::size_t slot = 0; slot < wanted; ++slot)
      start(slot);
    while (!children_.empty())
      await_one();
    std::ranges::sort(complaints_);
    return std::move(complaints_);
  }

 private:
  void start(std::size_t slot) {
    File notes(std::tmpfile());
    if (!notes) throw std::runtime_error("no temporary file");
    board_.get().current.at(slot) = none;
    (void)std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid < 0) throw std::runtime_error("no child process");
    if (pid == 0) work_off(slot, notes.get());
    children_.push_back({.slot = slot, .pid = pid, .notes = std::move(notes)});
  }

  [[noreturn]] void work_off(std::size_t slot, std::FILE* notes) {
    Board& board = board_.get();
    for (std::size_t i = board.next++; i < files_.size(); i = board.next++) {
      board.current.at(slot) = i;
      (void)alarm(static_cast<unsigned>(limit_.count()));
      for (const std::string& complaint : run_guarded(work_, files_[i]))
        fmt::print(notes, "{}: {}\n", files_[i].filename().string(), complaint);
      (void)std::fflush(notes);
      board.current.at(slot) = none;
    }
    _exit(0);
  }

  void await_one() {
    int status = 0;
    const pid_t pid = wait(&status);
    const auto child = std::ranges::find(children_, pid, &Child::pid);
    if (child == children_.end()) return;
    read_notes(*child);
    const std::size_t slot = child->slot;
    children_.erase(child);
    const std::size_t current = board_.get().current.at(slot);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    const std::string name =
        current == none ? "between two files" : files_[current].filename().string();
    complaints_.push_back(fmt::format("{}: {}", name, words_of(status)));
    start(slot);
  }

  [[nodiscard]] std::string words_of(int status) const {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
      return fmt::format("did not end in {} s", limit_.count());
    if (WIFSIGNALED(status)) return fmt::format("crashed: {}", strsignal(WTERMSIG(status)));
    return fmt::format("ended with {}", WEXITSTATUS(status));
  }

  void read_notes(const Child& child) {
    std::rewind(child.notes.get());
    std::string line;
    for (int c = std::fgetc(child.notes.get()); c != EOF; c = std::fgetc(child.notes.get())) {
      if (c != '\n') {
        line += static_cast<char>(c);
        continue;
      }
      complaints_.push_back(line);
      line.clear();
    }
  }

  std::span<const fs::path> files_;
  const Work& work_;
  std::chrono::seconds limit_;
  SharedBoard board_;
  std::vector<Child> children_;
  Complaints complaints_;
};

}  // namespace

Complaints each_in_child(std::span<const fs::path> files, const Work& work,
                         std::chrono::seconds limit) {
  return Crew(files, work, limit).run();
}

std::string first_of(const Complaints& complaints) {
  constexpr std::size_t shown = 20;
  std::string text = fmt::format("{} complaints\n", complaints.size());
  for (const std::string& complaint : complaints | std::views::take(shown))
    text += complaint + '\n';
  return text;
}

}  // namespace pkvmemu::test
