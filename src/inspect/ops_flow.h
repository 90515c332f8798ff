// SPDX-License-Identifier: GPL-2.0-only
// Follows values through a module's code: the pointer to pkvm_module_ops from the x0 of the EL2
// init function through registers, stack slots, arguments, results, and static variables, to the
// loads off it; and, for EL1 code, which addresses are stored where.
//
// It answers "may": at a join the pointer wins, static variables are what any store has put there.
// What it cannot follow (a store through an unknown pointer, a table index, a jump table) is
// reported as uncertain, so that an empty list of operations is not mistaken for a promise.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "code/disassembler.h"
#include "inspect/module_index.h"

namespace pkvmemu::inspect {

enum class Doubt : std::uint8_t {
  pointer_escapes,  ///< stored where it cannot be found again, or handed to unknown code
  indexed,          ///< a slot chosen at run time
  odd_access,       ///< not a whole slot, or at an unknown distance
  computed_branch,  ///< a jump whose targets are not known
  gave_up,          ///< too much code
};

std::string_view words_of(Doubt doubt);

/// An address of the file that code stores into another place of the file.
struct StoredAddress {
  Place to;
  Place value;
  Place site;
  auto operator<=>(const StoredAddress&) const = default;
};

struct Flow {
  /// Slot -> instructions that load it.
  std::map<std::uint64_t, std::set<Place>> loads;
  /// Slot -> instructions that call it.
  std::map<std::uint64_t, std::set<Place>> calls;
  std::set<StoredAddress> stored;
  std::set<std::pair<Doubt, Place>> doubts;
};

struct FlowRequest {
  std::vector<std::uint32_t> sections;  ///< the code to follow
  std::vector<Place> inits;             ///< functions that get the ops pointer in x0
};

Flow follow(const ModuleIndex& module, const code::Disassembler& disassembler,
            const FlowRequest& request);

}  // namespace pkvmemu::inspect
