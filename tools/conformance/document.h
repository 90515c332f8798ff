// SPDX-License-Identifier: GPL-2.0-only
// docs/conformance.md from rows and evidence, and what is wrong with the two.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "evidence.h"
#include "rows.h"

namespace pkvmemu::conformance {

/// One line each, the row's name first: no test and no reason, both, a failed test, an unknown row,
/// a generation that does not have the row. None: each row is held on each of its generations, or
/// says why not.
std::vector<std::string> find_problems(const Catalogue& catalogue,
                                       std::span<const Evidence> evidence);

std::string write_document(const Catalogue& catalogue, std::span<const Evidence> evidence);

/// A test's name without the generation that it is parametrised by:
/// "Generations/Loading.LateLoadIsRefused/android14_6_1" is "Loading.LateLoadIsRefused".
std::string display_name(std::string_view test, pkvm::Generation generation);

}  // namespace pkvmemu::conformance
