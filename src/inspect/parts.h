// SPDX-License-Identifier: GPL-2.0-only
// The parts of inspect(), one file each: who is init, who are the handlers, and what is wrong.
#pragma once

#include <vector>

#include "inspect/facts.h"
#include "inspect/module_index.h"
#include "inspect/ops_flow.h"

namespace pkvmemu::inspect {

/// The EL2 functions that play a role, and their places.
struct Candidates {
  std::vector<Candidate> inits;
  std::vector<Candidate> handlers;
  std::vector<Place> init_places;
  std::uint32_t text = 0;  ///< the section that they lie in
};

/// `el1` is the flow through the EL1 code.
Candidates find_candidates(const ModuleIndex& module, std::optional<pkvm::Generation> generation,
                           const Flow& el1);

/// How the file differs in form from what a kernel's build makes.
std::vector<TraitFact> find_traits(const ModuleIndex& module, const Facts& facts);

/// Why a load fails or goes wrong, and what to do; needs all other facts.
std::vector<Finding> find_problems(const ModuleIndex& module, const Facts& facts);

}  // namespace pkvmemu::inspect
