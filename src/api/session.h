// SPDX-License-Identifier: GPL-2.0-only
// A run that is driven step by step: what is behind pkvmemu::Emulator. The kernel waits for wishes
// (docs/rc.md, `await`) before and after deprivilege; a wish is written into the buffer that it
// named, and the machine runs on until it waits again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "machine/exit.h"
#include "machine/machine.h"
#include "observe/event_log.h"
#include "observe/report.h"
#include "pkvmemu/types.h"
#include "prepared_run.h"
#include "rc.h"
#include "support/address.h"

namespace pkvmemu::api {

class Session {
 public:
  /// Of options that have the wishes `early await` and `await`. Throws as the interface does.
  explicit Session(const tool::RunOptions& options);

  [[nodiscard]] Stage stage() const { return now_.stage; }
  void advance_to(Stage target);
  /// What came of the wish: calls, modules, touches, guests of this wish only.
  observe::RunReport request(const tool::RcLine& wish);
  void fail(std::string_view fault);
  /// Of the run so far, or of all of it when it has ended.
  [[nodiscard]] observe::RunReport report() const;

  [[nodiscard]] tool::PreparedRun& run() { return *run_; }
  [[nodiscard]] const tool::PreparedRun& run() const { return *run_; }

  struct Now {
    Stage stage = Stage::before_modules;
    bool deprivileged = false;
    std::optional<machine::Exit> exit{};  ///< once it has ended
  };
  /// What goes with a snapshot of the machine.
  struct Moment {
    machine::SnapshotId id;
    Now now;
    std::vector<observe::CallRequest> calls;
    std::vector<std::string> touches;
    fault::Injector::State faults;
  };
  Moment save();
  void restore(const Moment& moment);

 private:
  /// A range of RAM that the kernel reads a line from.
  struct Buffer {
    Pa base;
    std::uint64_t size = 0;
  };

  void run_until(const std::function<bool(const machine::Event&)>& wanted);
  /// Until it waits for a wish, or ends.
  void run_until_it_waits();
  void hand_in(std::string_view line);
  [[nodiscard]] std::string how_it_ended() const;

  std::unique_ptr<tool::PreparedRun> run_;
  Now now_;
  Buffer buffer_;  ///< the same at all stages
};

}  // namespace pkvmemu::api
