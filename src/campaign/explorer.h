// SPDX-License-Identifier: GPL-2.0-only
// Walks a run from fault site to fault site: stops before each is answered, so that the run can be
// kept there, made to fail, judged, and gone on with. What this knows of the run so far is part of
// what has to be kept: State goes with a snapshot of the machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fault/fault.h"
#include "fault/sites.h"
#include "machine/machine.h"

namespace pkvmemu::campaign {

/// A site is about to be answered.
struct Occurrence {
  std::size_t site = 0;   ///< index among the sites
  std::uint64_t nth = 0;  ///< the so manieth time in this run, counted from 1
};

class Explorer final : public machine::Observer {
 public:
  /// A site failed.
  struct Failed {
    std::size_t site = 0;
    std::string module;    ///< that was being loaded; empty outside of loads
    bool in_call = false;  ///< the host was in a hypercall or an SMC that the run asks for
    bool again = false;    ///< more than once
    /// How many probe functions it is within; and whether one of these then answered an error.
    unsigned probes = 0;
    bool probe_failed = false;
    bool operator==(const Failed&) const = default;
  };
  /// What the run has told so far.
  struct State {
    std::vector<std::uint64_t> counts;  ///< how often each site was reached
    std::string loading;                ///< the module that is being loaded
    bool in_call = false;               ///< a call that the run asks for was made, not answered
    unsigned probes = 0;                ///< probe functions that were called, and run
    std::vector<Failed> failed;         ///< each once
    bool panicked = false;              ///< the hypervisor
    /// Images that have told where they are, by exception level. What a site did before is not
    /// counted, as it is not by a run that hears of its place for the first time.
    std::array<bool, 3> placed{};
    bool operator==(const State&) const = default;
  };

  /// Only the sites that `wanted` picks are stopped at and counted. `sites` outlives this.
  Explorer(std::span<const fault::Site> sites,
           const std::function<bool(const fault::Site&)>& wanted);

  /// Before the machine runs, once; saw() has to be told of its events.
  void attach(machine::Machine& machine);
  void saw(const machine::Event& event);

  /// A run that comes to so many instructions in all has spent its budget: cases that do not end
  /// are known by what a run without faults takes.
  void set_limit(std::uint64_t instructions) { limit_ = instructions; }

  /// Runs on to the next site; nothing when the run ended: see exit().
  std::optional<Occurrence> next();
  /// Runs on to the end; `fault` says what fails on the way.
  machine::Exit finish();
  [[nodiscard]] const machine::Exit& exit() const { return exit_; }

  /// At an occurrence: it answers `answer`. With `from_now_on` the site does so whenever it is
  /// reached until disarm().
  enum class Lasting : std::uint8_t { once, from_now_on };
  void fail(const Occurrence& occurrence, std::int64_t answer, Lasting lasting);
  void disarm() { armed_.clear(); }

  [[nodiscard]] const State& state() const { return state_; }
  void set_state(State state) { state_ = std::move(state); }
  /// Where the firmware's image of this exception level lies; 0 when it has not told.
  [[nodiscard]] std::uint64_t image_base(unsigned el) const { return bases_.at(el); }

  void code_reached(Va address) override;

 private:
  struct Watched {
    std::size_t site = 0;
    unsigned reg = 0;
  };
  void run();
  void probe_ended(std::int64_t answer);
  void answer(const Watched& watched, std::int64_t answer);

  std::span<const fault::Site> sites_;
  std::vector<bool> wanted_;
  machine::Machine* machine_ = nullptr;
  std::map<Va, Watched> places_;
  std::array<std::uint64_t, 3> bases_{};  ///< by exception level; 0: not placed yet
  std::map<std::size_t, std::int64_t> armed_;
  State state_;
  std::optional<Occurrence> stopped_at_;
  bool stops_ = false;
  std::optional<std::uint64_t> limit_;
  machine::Exit exit_;
};

}  // namespace pkvmemu::campaign
