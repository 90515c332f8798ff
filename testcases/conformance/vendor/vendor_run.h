// SPDX-License-Identifier: GPL-2.0-only
// A run of some modules on one generation: calls of their handlers and touches of the kernel, each
// with what it has to answer, on our machine and with the same console under QEMU; afterwards who
// owns what.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/emulator.h"
#include "pkvm/generation.h"
#include "rc.h"

namespace pkvmemu::test {

/// Linux error numbers, negated.
inline constexpr std::int64_t eperm = -1, enoent = -2, ebusy = -16, eexist = -17, einval = -22,
                              enospc = -28, erange = -34;

/// Frames that nobody uses in a machine of 1 GiB; the scan looks at these.
inline constexpr std::uint64_t first_frame = 0x50000, frames = 64;
/// Frames of the hypervisor's (pvmfw), of MMIO without a device, and behind RAM.
inline constexpr std::uint64_t hypervisor_frame = 0x7e000, mmio_frame = 0x9010, no_frame = 0x80000;
constexpr std::uint64_t address_of(std::uint64_t frame) {
  return frame << 12;
}

/// What the tables say at the end of a run.
struct Ownership {
  std::vector<std::uint64_t> not_the_hosts;  ///< of the frames above, those it may not read
  std::vector<std::uint64_t> of_both;        ///< of all RAM
};

class VendorRun {
 public:
  VendorRun(const pkvm::GenerationInfo& generation, const std::vector<std::string>& modules);

  void parameter(const std::string& text);
  void budget(const std::string& text);
  /// Lines of a plan (docs/faults.md), below `faults:`. QEMU has none: such a run is for
  /// On::machine.
  void plan(const std::string& lines);

  // Each adds one step.
  /// "pages_hvc:0,0x50000" answers this in x1, and on.
  void call(const std::string& text, std::int64_t x1, const std::vector<std::uint64_t>& more = {});
  /// "0xc2000001:7" answers this in x0, x1, and on.
  void smc(const std::string& text, std::int64_t x0, const std::vector<std::uint64_t>& more = {});
  void reads(std::uint64_t address, std::uint64_t value);
  void writes(std::uint64_t address, std::uint64_t value);
  void cannot_read(std::uint64_t address);
  void cannot_write(std::uint64_t address);
  /// What is not compared: a run that does not come to its end makes no difference between steps.
  void ask(const std::string& text);

  enum class On : std::uint8_t { machine, both };
  /// Runs and compares; 0 is the exit code of a good run.
  void run(int exit_code = 0, On on = On::both);
  /// The same steps once more, with a look at the tables at the end.
  [[nodiscard]] Ownership ownership() const;
  [[nodiscard]] const EmulatorRun& last_run() const { return run_; }

 private:
  struct Step {
    tool::RcLine wish;
    std::string text;
    bool compared = true;
    bool aborts = false;
    std::uint64_t value = 0;  ///< of a read
    std::size_t first = 0;    ///< the register that the first of these is expected in
    std::vector<std::uint64_t> results{};
  };
  void touch(const std::string& text, bool aborts, std::uint64_t value);
  [[nodiscard]] std::string own(const std::string& name) const;
  [[nodiscard]] Arguments arguments() const;
  void compare() const;

  pkvm::GenerationInfo generation_;
  std::vector<std::string> modules_;
  std::string parameters_;
  std::string budget_;
  std::unique_ptr<ScratchDirectory> plan_;
  std::vector<Step> steps_;
  EmulatorRun run_;
};

class VendorTest : public testing::TestWithParam<pkvm::GenerationInfo> {
 protected:
  static bool is(pkvm::Generation generation) { return GetParam().id == generation; }
  static constexpr auto g6_1 = pkvm::Generation::android14_6_1;
  static constexpr auto g6_6 = pkvm::Generation::android15_6_6;
  static constexpr auto g6_12 = pkvm::Generation::android16_6_12;
};

}  // namespace pkvmemu::test
