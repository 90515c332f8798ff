// SPDX-License-Identifier: GPL-2.0-only
// Makes faults happen in a running machine: watches their places, and does what they say when their
// turn has come.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fault/fault.h"
#include "fault/sites.h"
#include "machine/machine.h"
#include "symbols/placement.h"
#include "symbols/symbol_table.h"

namespace pkvmemu::fault {

/// Which sites are watched, and so counted.
enum class Watching : std::uint8_t {
  planned,  ///< those of the plan
  all,
};

/// What became of a fault.
struct Happened {
  Fault fault;
  std::uint64_t reached = 0;  ///< how often its place was reached, by whatever path
  std::uint64_t fired = 0;    ///< how often it happened
  std::string where{};        ///< the first time: "el2:0x... f+0x10 [hello]"
  std::string note{};         ///< why it could not be done, the last time
};

class Injector final : public machine::Observer {
  /// Of a fault, besides what is told.
  struct Progress {
    TurnCount turn;
    bool again_armed = false;  ///< the next time behind the instruction goes back to it
    bool again = false;        ///< and then it is not the fault's business
    std::optional<Va> watched{};
  };

 public:
  /// `sites` and `table` outlive this.
  Injector(std::span<const Site> sites, const symbols::SymbolTable& table, std::vector<Fault> plan,
           Watching watching = Watching::planned, std::uint64_t seed = 0);

  /// Before run(), once.
  void attach(machine::Machine& machine);
  /// Of the machine's events: says where things lie.
  void saw(const machine::Event& event);

  void code_reached(Va address) override;
  bool secure_call() override;
  std::uint64_t device_read(Pa address, std::uint64_t value) override;

  /// One more fault; it counts from here on. Its site has to be watched, other code not run yet.
  void add(Fault fault);

  /// What restoring a snapshot of the machine has to bring back here.
  struct State {
    std::vector<Happened> happened;
    std::vector<Progress> progress;
    std::vector<std::uint64_t> counts;
    Random random{0};
  };
  [[nodiscard]] State save() const {
    return {.happened = happened_, .progress = progress_, .counts = counts_, .random = random_};
  }
  void restore(State state);

  [[nodiscard]] const std::vector<Happened>& happened() const { return happened_; }
  /// How often each site was reached, in the order of `sites`.
  [[nodiscard]] std::span<const std::uint64_t> counts() const { return counts_; }

 private:
  /// What is at a watched instruction.
  struct SiteThere {
    std::size_t site = 0;
    unsigned reg = 0;
  };
  struct FaultThere {
    std::size_t fault = 0;
    unsigned el = 0;
  };
  /// Behind an instruction that is to be executed twice.
  struct Behind {
    std::size_t fault = 0;
    unsigned el = 0;
  };
  struct Watched {
    std::optional<SiteThere> site;
    std::vector<FaultThere> faults;
    std::vector<Behind> behind;
  };
  [[nodiscard]] bool is_planned(const Site& site) const;
  void place_sites(const machine::Event& event);
  void place_faults();
  void watch(Va address, std::size_t fault, unsigned el);
  Watched& watched_at(Va address);
  [[nodiscard]] std::optional<AddressPlace> address_of(const Place& place) const;

  void site_reached(const SiteThere& there);
  void fault_reached(const FaultThere& there);
  [[nodiscard]] bool behind_reached(const Behind& behind);
  [[nodiscard]] bool comes_by(const Fault& fault) const;
  [[nodiscard]] bool is_in(Va address, const Range& range) const;
  /// Counts, and says whether it happens now.
  bool takes(std::size_t fault);
  void act(std::size_t fault, std::optional<unsigned> site_register);
  void note_place(Happened& one) const;
  [[nodiscard]] Result<void> flip(const FlipMemory& flip);
  void end(Deed deed, const Happened& one);

  std::span<const Site> sites_;
  symbols::Placement placement_;
  Watching watching_;
  Random random_;
  machine::Machine* machine_ = nullptr;
  std::vector<Happened> happened_;
  std::vector<Progress> progress_;
  std::vector<std::uint64_t> counts_;
  std::map<Va, Watched> places_;
  std::array<bool, 3> placed_{};  ///< images, by exception level
};

}  // namespace pkvmemu::fault
