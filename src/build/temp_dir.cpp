// SPDX-License-Identifier: GPL-2.0-only
#include "build/temp_dir.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace pkvmemu::build {

Result<TempDir> TempDir::create() {
  std::error_code status;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(status);
  if (status) return fail("no directory for temporary files: {}", status.message());
  std::string name = (parent / "pkvm-modbuild-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    return fail("{}: cannot create: {}", name, std::strerror(errno));
  return TempDir(name);
}

TempDir::TempDir(std::filesystem::path path) : path_(std::move(path)) {}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  std::error_code ignored;  // nothing sensible can be done about a failure here
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace pkvmemu::build
