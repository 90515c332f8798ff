// SPDX-License-Identifier: GPL-2.0-only
// The processes of a sweep. Each worker carries out a share of the cases and tells its parent, who
// alone writes: what a worker dies of, or falls silent over, is the outcome of the case that it was
// at, and another one goes on after it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "campaign/record.h"
#include "failure.h"

namespace pkvmemu::tool {

/// What a worker says, each in one line: the first character tells which.
enum class Word : char { sweep = 'S', begin = 'B', end = 'E', done = 'D', failure = 'F' };

/// The worker's end of the line. Without a listener it ends the process.
class Telling {
 public:
  explicit Telling(int pipe) : pipe_(pipe) {}
  void say(Word word, std::string_view text) const;
  /// Nothing of the share can be done.
  void fail(const Failure& failure) const;

 private:
  int pipe_;
};

class SweepCrew {
 public:
  struct Duties {
    /// In a worker: carries out its share (its number, how many there are), but for what is done.
    std::function<void(const Telling&, unsigned, const std::set<std::string>&)> work;
    /// In the parent, for each line that is to be kept.
    std::function<Outcome<void>(const campaign::Line&)> keep;
    /// In the parent, now and then; false ends the sweep.
    std::function<bool()> goes_on;
  };

  SweepCrew(unsigned workers, std::chrono::seconds patience, Duties duties)
      : count_(workers), patience_(patience), duties_(std::move(duties)) {}

  /// Until all shares are done.
  Outcome<void> run(std::set<std::string> done);

 private:
  using Clock = std::chrono::steady_clock;
  struct Worker {
    unsigned number = 0;
    int process = 0;
    int pipe = -1;
    std::string unread;   ///< the beginning of a line
    std::string at_case;  ///< that it is at; empty: none
    unsigned vain = 0;    ///< deaths since a case ended, in none
    Clock::time_point heard;
    bool done = false;
  };

  Outcome<void> start(Worker& worker);
  Outcome<void> listen(Worker& worker);
  Outcome<void> take_line(Worker& worker, std::string_view line);
  Outcome<void> bury(Worker& worker);
  Outcome<void> lose_case(Worker& worker, const std::string& why);
  void stop_all();

  unsigned count_;
  std::chrono::seconds patience_;
  Duties duties_;
  std::set<std::string> done_;
  std::vector<Worker> workers_;
};

}  // namespace pkvmemu::tool
