// SPDX-License-Identifier: GPL-2.0-only
#include "debian_modules.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;

fs::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path() : fs::path(value);
}

/// As tools/debian-modules chooses it.
fs::path folder() {
  if (fs::path own = from_environment("PKVMEMU_DEBIAN_MODULES"); !own.empty()) return own;
  fs::path cache = from_environment("XDG_CACHE_HOME");
  if (cache.empty()) {
    const fs::path home = from_environment("HOME");
    cache = (home.empty() ? fs::path("/tmp") : home) / ".cache";
  }
  return cache / "pkvm-emu" / "debian-arm64";
}

std::vector<fs::path> find_modules() {
  std::vector<fs::path> found;
  std::error_code status;
  if (!fs::exists(folder() / "complete", status)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder() / "modules", status))
    if (entry.path().extension() == ".ko") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

}  // namespace

const std::vector<fs::path>& debian_modules() {
  static const std::vector<fs::path> modules = find_modules();
  return modules;
}

std::vector<fs::path> debian_sample() {
  constexpr std::size_t usual = 200;
  const std::vector<fs::path>& all = debian_modules();
  const char* wish = std::getenv("PKVMEMU_DEBIAN_SAMPLE");
  const std::size_t count =
      std::min(wish == nullptr ? usual : std::strtoul(wish, nullptr, 10), all.size());
  std::vector<fs::path> sample;
  for (std::size_t i = 0; i < count; ++i)
    sample.push_back(all[i * all.size() / count]);
  return sample;
}

std::string debian_name(const fs::path& path) {
  std::string name = path.stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace pkvmemu::test
