// SPDX-License-Identifier: GPL-2.0-only
// Judges a run that met a fault: what must hold whatever failed (docs/sweep.md). A pure function of
// what was observed at its end and of what the run without faults was like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "campaign/frame_map.h"
#include "campaign/record.h"
#include "observe/pvmfw.h"
#include "observe/report.h"
#include "pkvm/generation.h"

namespace pkvmemu::campaign {

/// The run without faults.
struct Baseline {
  observe::RunReport report;
  std::map<std::string, std::size_t> hyp_before;  ///< frames of the hypervisor before each load
  std::size_t hyp_after_loads = 0;                ///< after the last one
  std::size_t hyp_end = 0;                        ///< at the end of the run
  std::size_t both_end = 0;
  std::size_t neither_end = 0;
  std::size_t writable_code = 0;
};

/// A fault that fired.
struct Met {
  std::string site;
  std::string module;         ///< whose load has to fail by it; empty: no load
  bool in_call = false;       ///< a step of a call that the run asks for: it may end in another way
  bool again = false;         ///< more than once: undoing it failed as well
  bool probe_failed = false;  ///< a driver's probe function met it, and answered an error
};

/// A run with faults, at its end.
struct Observed {
  const observe::RunReport& report;
  observe::Pvmfw pvmfw = observe::Pvmfw::absent;
  const FrameMap& frames;
  std::vector<Met> met{};
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  /// Where the hypervisor's own image lies.
  std::uint64_t hyp_image = 0;
  /// Where it would place the next module, when it was asked.
  std::optional<std::uint64_t> next_module{};
};

struct Judgement {
  Outcome outcome = Outcome::clean;
  std::string why;
  std::vector<Finding> findings;
};

Judgement judge(const Baseline& baseline, const Observed& observed);

/// What a specified consequence of a failing site excuses.
struct Allowance {
  std::string_view site;  ///< a pattern of fnmatch(3)
  std::string_view kind;  ///< of the finding
  std::string_view why;   ///< with the row that says so
};
/// nullptr: nothing excuses it.
const Allowance* allowance_for(std::string_view site, std::string_view kind);

}  // namespace pkvmemu::campaign
