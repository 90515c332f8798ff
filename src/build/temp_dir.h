// SPDX-License-Identifier: GPL-2.0-only
// A private directory for intermediate files, removed with its owner.
#pragma once

#include <filesystem>

#include "support/result.h"

namespace pkvmemu::build {

class TempDir {
 public:
  static Result<TempDir> create();

  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TempDir(std::filesystem::path path);
  std::filesystem::path path_;
};

}  // namespace pkvmemu::build
