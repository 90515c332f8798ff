// SPDX-License-Identifier: GPL-2.0-only
// The kernel modules that tools/debian-modules has unpacked: several thousand real files that
// nobody made for us.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pkvmemu::test {

/// In the order of their paths; none where the package was not fetched.
const std::vector<std::filesystem::path>& debian_modules();

/// 200 of them, or PKVMEMU_DEBIAN_SAMPLE, evenly spread.
std::vector<std::filesystem::path> debian_sample();

/// "my-driver.ko" -> "my_driver".
std::string debian_name(const std::filesystem::path& path);

}  // namespace pkvmemu::test

/// Ends a test as skipped, with what to do, where there is no package.
#define PKVMEMU_NEED_DEBIAN_MODULES()          \
  if (pkvmemu::test::debian_modules().empty()) \
  GTEST_SKIP() << "no Debian modules here: tools/debian-modules fetches them"
