// SPDX-License-Identifier: GPL-2.0-only
// The whole product against QEMU on the same files: one module, its handler called.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "child.h"
#include "support/result.h"

namespace pkvmemu::bench {

/// Two machines, alternately, so that what slows the computer down slows both.
struct Paired {
  std::vector<ChildRun> ours;
  std::vector<ChildRun> qemu;
};

class GuestRuns {
 public:
  /// Exports the run to `folder`; everything there is what both machines use.
  static Result<GuestRuns> create(const std::filesystem::path& folder);

  /// `pairs` runs on each machine with the handler called `calls` times.
  Result<Paired> run(std::uint64_t calls, unsigned pairs) const;

  /// Has the initramfs ask for so many calls.
  Result<void> set_calls(std::uint64_t calls) const;
  [[nodiscard]] std::filesystem::path initramfs() const { return folder_ / "initramfs.cpio"; }

 private:
  explicit GuestRuns(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
};

}  // namespace pkvmemu::bench
