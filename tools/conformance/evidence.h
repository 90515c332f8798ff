// SPDX-License-Identifier: GPL-2.0-only
// What the tests left in build/<preset>/conformance: one file for each test that held a row,
// written by testcases/harness/conformance_row.cpp when the test ends.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pkvm/generation.h"
#include "support/result.h"

namespace pkvmemu::conformance {

/// "ROW@KMI" or "ROW@KMI+qemu", as a test said.
struct Claim {
  std::string row;
  pkvm::Generation generation{};
  bool on_qemu = false;
};

struct Evidence {
  std::string program;  ///< "test_conformance"
  std::string test;     ///< "Suite.Name", with prefix and parameter
  bool passed = false;
  std::vector<Claim> claims;
};

Result<Claim> parse_claim(std::string_view text);

/// All of it that is not older than the test program (in `programs`) that left it: what a program
/// said before it was built anew counts no more. Sorted by program and test.
Result<std::vector<Evidence>> read_evidence(const std::filesystem::path& folder,
                                            const std::filesystem::path& programs);

}  // namespace pkvmemu::conformance
