// SPDX-License-Identifier: GPL-2.0-only
// Pieces of work in processes of their own, several at a time: one that crashes is a result, and
// not the end of the others.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace pkvmemu::tool {

/// What became of a piece of work.
struct WorkEnd {
  std::string answer;  ///< what the work returned; incomplete when it did not come to its end
  std::optional<int> signal;  ///< that ended its process
  int exit_code = 0;          ///< of its process
};

struct WorkPlan {
  std::size_t count = 0;
  std::size_t at_once = 1;
  /// In a process of its own: answers with a text.
  std::function<std::string(std::size_t index)> work;
  /// In this process, in the order of the indices.
  std::function<void(std::size_t index, const WorkEnd& end)> done;
};

/// Until all is done, or a signal came (SIGINT, SIGTERM): then the running pieces are told to stop,
/// waited for and handed over, and no further ones are begun; the answer is false.
bool do_work(const WorkPlan& plan);

}  // namespace pkvmemu::tool
