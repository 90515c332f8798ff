// SPDX-License-Identifier: GPL-2.0-only
// The whole product against QEMU on the same files: one module, its handler called.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "child.h"
#include "support/result.h"

namespace pkvmemu::bench {

/// Two machines, alternately, so that what slows the computer down slows both.
struct Paired {
  std::vector<ChildRun> ours;
  std::vector<ChildRun> qemu;  ///< or whatever ours is compared with
};

class GuestRuns {
 public:
  /// Exports the run to `folder`; everything there is what both machines use.
  static Result<GuestRuns> create(const std::filesystem::path& folder);

  /// `pairs` runs on each machine with the handler called `calls` times.
  Result<Paired> run(std::uint64_t calls, unsigned pairs) const;

  /// The same with other lines of the rc file.
  Result<Paired> run_wishes(const std::string& wishes, unsigned pairs) const;
  /// Ours alone, with the VM that every run starts and (second) without it.
  Result<Paired> run_with_and_without_vm(unsigned pairs) const;

  /// Has the initramfs ask for so many calls.
  Result<void> set_calls(std::uint64_t calls) const;
  [[nodiscard]] std::filesystem::path initramfs() const { return folder_ / "initramfs.cpio"; }

 private:
  Result<void> set_wishes(const std::string& wishes) const;
  Result<ChildRun> run_ours(const std::vector<std::string>& options) const;

  explicit GuestRuns(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
};

}  // namespace pkvmemu::bench
