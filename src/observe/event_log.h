// SPDX-License-Identifier: GPL-2.0-only
// Folds the event records of a run into modules, calls and panics, in the order they happened.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "observe/report.h"

namespace pkvmemu::observe {

/// Takes the events one by one; `take_rest` then closes what the run left open. Judges nothing:
/// that is report.cpp's.
class EventLog {
 public:
  explicit EventLog(const Facts& facts) : facts_(facts) {}

  void add(const machine::Event& event);
  /// Requests that no event mentioned, in their order.
  void add_unmentioned();

  RunReport& report() { return report_; }
  /// Why the kernel cleared the firmware, if it said that it did.
  const std::optional<std::string>& wiped() const { return wiped_; }
  /// The last host panic came out of a hyp panic (pkvm-abi.md 8.5), so it is not one of its own.
  bool host_panic_follows_hyp_panic() const { return host_panic_follows_; }

 private:
  using Record = pkvm::event::Record;

  void add_from_hyp(const Record& record);
  void add_hyp_panic(const Record& record);
  void add_refused_op(const Record& record);
  void add_defect(const Record& record);
  void add_from_host(const machine::Event& event);
  void add_module(const Record& record);
  void count_stub(StubUse use);
  void begin_module(const Record& record);
  void end_module(const Record& record);
  void skip_module(const Record& record);
  void begin_call(const machine::Event& event);
  void end_call(const machine::Event& event);
  void call_not_made(const Record& record);
  void begin_touch(const Record& record);
  void end_touch(const Record& record);
  void add_guest(const Record& record);
  GuestReport& open_guest(const Record& record);
  void add_attack(const Record& record);
  CallReport& next_call(const Record& record);
  ModuleReport& find_or_add(std::string name);
  std::string file_of(const std::string& name) const;

  const Facts& facts_;
  RunReport report_;
  std::optional<std::size_t> open_call_;
  std::uint64_t el2_at_begin_ = 0;
  std::size_t calls_seen_ = 0;
  std::optional<std::string> wiped_;
  bool host_panic_follows_ = false;
};

}  // namespace pkvmemu::observe
