// SPDX-License-Identifier: GPL-2.0-only
// The file that a sweep writes its records to, a line for each as it comes: whatever kills the
// sweep, what was said so far is there, and --resume goes on after it.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "campaign/record.h"
#include "failure.h"

namespace pkvmemu::tool {

class SweepStore {
 public:
  /// Only in memory.
  SweepStore() = default;
  /// `file` is made, with its folder. One with records of an earlier sweep is gone on with when
  /// `resumes`, and refused otherwise.
  static Outcome<SweepStore> open(const std::filesystem::path& file, bool resumes);

  /// Cases that are done already.
  [[nodiscard]] std::set<std::string> done() const;
  /// The first of a sweep; one that is there already has to be the same.
  Outcome<void> keep(const campaign::Line& line);
  /// All so far, and those of before.
  [[nodiscard]] Outcome<campaign::SweepResult> result() const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  Outcome<void> write(const campaign::Line& line);

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::optional<campaign::SweepRecord> sweep_;
  std::string text_;  ///< all lines
};

}  // namespace pkvmemu::tool
