// SPDX-License-Identifier: GPL-2.0-only
// Makes faults happen in a running machine: watches the instruction behind each site of interest
// and changes the site's register when its turn has come.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "fault/fault.h"
#include "fault/sites.h"
#include "machine/machine.h"

namespace pkvmemu::fault {

/// Which sites are watched, and so counted.
enum class Watching : std::uint8_t {
  planned,  ///< those of the plan
  all,
};

/// What became of a fault.
struct Happened {
  Fault fault;
  std::uint64_t reached = 0;  ///< how often its site was reached since it was planned
  std::uint64_t fired = 0;    ///< how often it failed
};

class Injector final : public machine::Observer {
 public:
  /// `sites` outlives this.
  Injector(std::span<const Site> sites, std::vector<Fault> plan,
           Watching watching = Watching::planned);

  /// Before run(), once.
  void attach(machine::Machine& machine);
  /// Of the machine's events: says where the images lie.
  void saw(const machine::Event& event);

  void code_reached(Va address) override;

  /// One more fault; it counts from here on. Its site has to be watched.
  void add(Fault fault);

  /// What restoring a snapshot of the machine has to bring back here.
  struct State {
    std::vector<Happened> happened;
    std::vector<std::uint64_t> counts;
  };
  [[nodiscard]] State save() const { return {.happened = happened_, .counts = counts_}; }
  void restore(State state);

  [[nodiscard]] const std::vector<Happened>& happened() const { return happened_; }
  /// How often each site was reached, in the order of `sites`.
  [[nodiscard]] std::span<const std::uint64_t> counts() const { return counts_; }

 private:
  struct Watched {
    std::size_t site = 0;
    unsigned reg = 0;
  };

  [[nodiscard]] bool is_planned(const Site& site) const;

  std::span<const Site> sites_;
  Watching watching_;
  machine::Machine* machine_ = nullptr;
  std::vector<Happened> happened_;
  std::vector<std::uint64_t> counts_;
  std::map<Va, Watched> places_;
  std::array<bool, 3> placed_{};  ///< by exception level
};

}  // namespace pkvmemu::fault
