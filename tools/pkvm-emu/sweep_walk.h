// SPDX-License-Identifier: GPL-2.0-only
// The cases of a sweep, carried out by one process: it boots once, walks the run from site to site,
// and at each keeps a snapshot, lets the site fail, judges how that ends, and goes back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "campaign/explorer.h"
#include "campaign/oracle.h"
#include "campaign/record.h"
#include "failure.h"
#include "prepared_run.h"
#include "run_options.h"
#include "sweep_share.h"
#include "symbols/placement.h"
#include "symbols/symbol_table.h"

namespace pkvmemu::tool {

/// Which faults a sweep tries.
struct SweepModes {
  bool once = true;         ///< each occurrence by itself
  bool persistent = false;  ///< each site from each occurrence on
  bool pairs = false;       ///< two sites: the second among those reached after the first failed
  bool corrupt = false;     ///< no site: the modules' files are damaged, one byte at a time
};

class SweepWalk {
 public:
  struct Sinks {
    /// A case is about to run.
    std::function<void(const std::string& id)> begin;
    std::function<void(const campaign::CaseRecord&)> end;
  };

  /// Boots nothing yet. `sites`: a pattern of fnmatch(3), empty for all.
  static Outcome<std::unique_ptr<SweepWalk>> create(const RunOptions& options,
                                                    const std::string& sites);

  /// Runs once without faults. Before anything else.
  void measure();
  [[nodiscard]] const campaign::Baseline& baseline() const { return baseline_; }
  /// Of the run without faults, in the order of sites(); those not looked at have none.
  [[nodiscard]] std::span<const std::uint64_t> occurrences() const { return occurrences_; }
  [[nodiscard]] std::span<const fault::Site> sites() const { return sites_; }
  [[nodiscard]] bool looks_at(const fault::Site& site) const;
  [[nodiscard]] pkvm::Generation generation() const { return run_->plan().generation; }
  /// The same for sweeps whose cases are the same: of firmware, modules, options and modes.
  [[nodiscard]] std::string fingerprint(const SweepModes& modes) const;

  /// Carries out the cases of the share, but for those that are done.
  void walk(const SweepModes& modes, Share share, const std::set<std::string>& done,
            const Sinks& sinks);
  /// How many cases walk() has in all shares, without those of pairs, which only the failing runs
  /// tell.
  [[nodiscard]] std::uint64_t planned(const SweepModes& modes) const;

 private:
  /// A moment to come back to.
  struct Kept {
    machine::SnapshotId snapshot;
    campaign::Explorer::State state;
  };
  struct Job;

  SweepWalk(RunOptions options, std::string pattern);

  machine::Machine& machine() { return run_->machine(); }
  Kept keep();
  void go_back(const Kept& kept);
  void forget(const Kept& kept) { machine().drop(kept.snapshot); }

  [[nodiscard]] campaign::FaultRecord fault_at(const campaign::Occurrence& occurrence,
                                               campaign::Explorer::Lasting lasting);
  /// Who called, as the machine stands.
  [[nodiscard]] std::vector<std::string> path_here();
  [[nodiscard]] std::vector<std::string> disassembly_here();
  /// The error of this fault went to a module's EL2 code, whose business it is from there on.
  [[nodiscard]] bool was_told_to_module(const campaign::FaultRecord& fault) const;
  void run_case(Job& job, const campaign::Occurrence& occurrence,
                const std::vector<campaign::FaultRecord>& before,
                campaign::Explorer::Lasting lasting);
  void walk_corruptions(Job& job);
  void corrupt_module(Job& job, const std::string& name);
  void walk_seconds(Job& job, const campaign::Occurrence& occurrence);
  campaign::CaseRecord judged(std::string id, std::vector<campaign::FaultRecord> faults);

  RunOptions options_;
  std::string pattern_;
  std::vector<fault::Site> sites_;
  symbols::SymbolTable symbols_;
  symbols::Placement placement_{symbols_};
  std::unique_ptr<campaign::Explorer> explorer_;
  std::unique_ptr<PreparedRun> run_;
  campaign::Baseline baseline_;
  std::vector<std::uint64_t> occurrences_;
  std::uint64_t input_hash_ = 0;  ///< of all that the run is made from
  std::optional<Kept> start_;
};

}  // namespace pkvmemu::tool
