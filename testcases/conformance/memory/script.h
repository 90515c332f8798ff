// SPDX-License-Identifier: GPL-2.0-only
// A sequence of memory operations in one run: each step is a call of the module `memory`
// (modules/memory/operations.h) or a touch of the kernel, with what it has to answer. The steps run
// on our machine and, unless the script says that it needs it, under QEMU with the same console.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/conformance_row.h"
#include "harness/emulator.h"
#include "modules/memory/operations.h"
#include "pkvm/generation.h"

namespace pkvmemu::test {

/// What the specification calls them (pkvm-abi.md 0.2), negated.
inline constexpr std::int64_t eperm = -1;
inline constexpr std::int64_t enomem = -12;
inline constexpr std::int64_t ebusy = -16;
inline constexpr std::int64_t einval = -22;
inline constexpr std::int64_t erange = -34;

/// enum kvm_pgtable_prot (1.1).
namespace prot {
inline constexpr std::uint64_t x = 1, w = 2, r = 4, device = 8, nc = 0x10, pxn = 0x20, uxn = 0x40;
inline constexpr std::uint64_t rw = r | w, rx = r | x, rwx = r | w | x;
}  // namespace prot

/// Frames that nobody uses in a machine of 1 GiB, the last of its RAM, and MMIO without a device.
inline constexpr std::uint64_t free_frame = 0x50000;
inline constexpr std::uint64_t last_frame = 0x7ffff;
inline constexpr std::uint64_t mmio_frame = 0x9010;
constexpr std::uint64_t address_of(std::uint64_t frame) {
  return frame << 12;
}

/// ESR_EL1 of an abort that the hypervisor injects for an access of touch.S (7.7): EC of the same
/// EL, S1PTW set; `status` is the fault status code of the stage-2 fault.
namespace injected {
constexpr std::uint64_t read(std::uint64_t status) {
  return 0x97c2'8080 | status;
}
constexpr std::uint64_t write(std::uint64_t status) {
  return 0x97c2'80c0 | status;
}
constexpr std::uint64_t fetch(std::uint64_t status) {
  return 0x8600'0080 | status;
}
inline constexpr std::uint64_t translation = 0x04, permission = 0x0c;  // plus the level
}  // namespace injected

class Script {
 public:
  enum class On : std::uint8_t { machine, both };
  enum class Phase : std::uint8_t { early, after };
  using Values = std::vector<std::uint64_t>;

  explicit Script(const pkvm::GenerationInfo& generation) : generation_(generation) {}

  /// The call answers `code` in x1. The index is for result().
  std::size_t expect(memory_operation operation, const Values& arguments, std::int64_t code);
  /// Whatever it answers.
  std::size_t ask(memory_operation operation, const Values& arguments);
  /// "r:0x50000000" and its like: it does not abort; a read gives `value`.
  void expect_done(const std::string& touch);
  void expect_read(std::uint64_t address, std::uint64_t value);
  /// It aborts with this ESR_EL1; FAR_EL1 has the offset in the page.
  void expect_abort(const std::string& touch, std::uint64_t esr);
  /// From now on steps are made in this phase; early ones come first in a script, as in the run.
  void in(Phase phase) { phase_ = phase; }

  /// Runs it and compares; the run ends well.
  void run(On on = On::both);
  /// The run has to end in a hyp panic.
  void run_to_panic();

  /// Register `n` after the call with that index.
  [[nodiscard]] std::uint64_t result(std::size_t index, std::size_t n) const;
  [[nodiscard]] const EmulatorRun& last_run() const { return run_; }

 private:
  struct Call {
    std::string text;
    bool compared;
    std::int64_t code;
  };
  struct Touch {
    std::string text;
    bool aborts;
    bool compared;
    std::uint64_t value;
  };

  std::size_t add(memory_operation operation, const Values& arguments, bool compared,
                  std::int64_t code);
  void add(Touch touch);
  [[nodiscard]] Arguments arguments() const;
  void compare() const;
  void compare(const Touch& touch, const nlohmann::json& report) const;

  pkvm::GenerationInfo generation_;
  Phase phase_ = Phase::after;
  std::vector<Call> calls_;
  std::vector<Touch> touches_;
  Arguments options_;
  EmulatorRun run_;
};

std::string read_of(std::uint64_t address);
std::string write_of(std::uint64_t address, std::uint64_t value);
std::string fetch_of(std::uint64_t address);

}  // namespace pkvmemu::test
