// SPDX-License-Identifier: GPL-2.0-only
// Exceptions that the EL1 kernel takes. All but a WARN of a module end in a panic with a readable
// report: what happened, where, by whose code.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/bug_table.h"

namespace pkvmemu::host {

/// As vectors.S lays it out.
struct ExceptionFrame {
  std::uint64_t x[31];
  std::uint64_t elr, spsr, esr, far, sp;
};
static_assert(sizeof(ExceptionFrame) == 288);

struct NamedBug {
  BugSite site;
  std::string_view file;
};

/// What the bug tables know of the BRK at an address. Set by whoever has modules.
using BugLookup = std::optional<NamedBug> (*)(std::uint64_t address);
void set_bug_lookup(BugLookup lookup);

/// Somebody who provoked the exception and goes on after it. True when the frame says where.
using Recovery = bool (*)(ExceptionFrame& frame);
void set_recovery(Recovery who);

/// An abort, for which FAR_EL1 means something.
bool has_fault_address(std::uint64_t esr);

/// "data abort, refused by the hypervisor", for reports.
const char* name_of_exception(std::uint64_t esr);

}  // namespace pkvmemu::host
