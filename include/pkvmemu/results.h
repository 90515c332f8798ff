// SPDX-License-Identifier: GPL-2.0-only
// What came of it: of a call, a load, an access, a guest, a fault, and of a whole run. Plain
// values, which print as sentences; gmock.h has matchers for them.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pkvmemu/types.h"

namespace pkvmemu::inline v1 {

/// A handler's call, or any HVC or SMC.
struct CallResult {
  enum class State : std::uint8_t {
    answered,        ///< x holds what came back
    not_made,        ///< the kernel could not make it: `reason` says why
    never_returned,  ///< the run ended in the middle of it
  };
  std::string name;  ///< as asked for: "hello/hello_hvc"
  std::vector<std::uint64_t> arguments;
  State state = State::never_returned;
  std::array<std::uint64_t, 18> x{};   ///< x0 to x7 after it, of an SMC x0 to x17
  std::uint64_t el2_instructions = 0;  ///< executed at EL2 for it
  std::string reason{};
};

/// A module's handler as the hypervisor knows it.
struct Handler {
  std::string symbol;
  unsigned number = 0;  ///< of the hypercall: 128 and up
};

/// The load of a module.
struct LoadResult {
  enum class State : std::uint8_t {
    loaded,
    failed,
    refused,     ///< after deprivilege, as it has to be: -EOPNOTSUPP
    not_tried,   ///< an earlier module failed
    unfinished,  ///< the run ended before, or in the middle of it
  };
  std::string module;
  State state = State::unfinished;
  Status status{};       ///< what the load answered
  std::string reason{};  ///< why it did not succeed, in words
  std::vector<Handler> handlers{};
};

/// An access of the host kernel to a physical address.
struct TouchResult {
  enum class State : std::uint8_t {
    done,
    aborted,         ///< it raised an exception, and the kernel went on
    never_returned,  ///< the run ended in the middle of it
  };
  State state = State::never_returned;
  std::uint64_t value = 0;  ///< what was read or written
  std::uint64_t esr = 0;    ///< ESR_EL1 and FAR_EL1 when it aborted
  std::uint64_t far = 0;
};

/// A guest in a virtual machine.
struct GuestResult {
  struct Step {
    std::string what;  ///< "create", "set firmware", "run", ...
    Status status{};
  };
  std::string program;
  bool is_protected = false;
  bool ran_to_its_end = false;
  std::vector<Step> steps{};
  std::vector<std::string> console{};  ///< lines that it printed
};

/// A step of the firmware that can be made to fail (docs/faults.md).
struct FaultSite {
  std::string name;     ///< "hyp.donate"
  std::string meaning;  ///< one line
  unsigned level = 0;   ///< exception level: 1 kernel, 2 hypervisor
};

/// What became of a fault.
struct FaultResult {
  std::string site;
  std::uint64_t reached = 0;  ///< how often the site was reached since the fault was asked for
  std::uint64_t fired = 0;    ///< how often it failed
};

/// What a whole run came to.
struct Verdict {
  enum class ProtectedVms : std::uint8_t {
    available,
    unavailable,
    not_verified,  ///< none was started (Boot::probe_protected_vms), and nothing speaks against it
  };
  /// How it ended.
  enum class End : std::uint8_t {
    powered_off,
    reset,
    halted,
    budget_spent,  ///< Boot::budget instructions were not enough
    wedged,        ///< it faults on its own exception vector for ever
  };

  ProtectedVms protected_vms = ProtectedVms::not_verified;
  std::string protected_vms_reason;
  std::vector<LoadResult> modules;
  std::vector<FaultResult> faults;
  bool deprivileged = false;
  bool hyp_panic = false;
  std::optional<std::string> host_panic;  ///< its message
  End end = End::powered_off;
  int exit_code = 0;               ///< of `pkvm-emu run` (docs/cli.md)
  std::vector<std::string> lines;  ///< for people, as `pkvm-emu run` ends
  std::string console;             ///< all that the guests printed
  std::uint64_t instructions = 0;

  /// nullptr when it was none of the run's.
  [[nodiscard]] const LoadResult* module(std::string_view name) const;
  /// The last fault at this site; nullptr when none was asked for.
  [[nodiscard]] const FaultResult* fault(std::string_view site) const;
};

std::ostream& operator<<(std::ostream& stream, CallResult::State state);
std::ostream& operator<<(std::ostream& stream, LoadResult::State state);
std::ostream& operator<<(std::ostream& stream, TouchResult::State state);
std::ostream& operator<<(std::ostream& stream, Verdict::ProtectedVms state);
std::ostream& operator<<(std::ostream& stream, Verdict::End end);
std::ostream& operator<<(std::ostream& stream, const CallResult& result);
std::ostream& operator<<(std::ostream& stream, const LoadResult& result);
std::ostream& operator<<(std::ostream& stream, const TouchResult& result);
std::ostream& operator<<(std::ostream& stream, const GuestResult& result);
std::ostream& operator<<(std::ostream& stream, const FaultResult& result);
std::ostream& operator<<(std::ostream& stream, const FaultSite& site);
std::ostream& operator<<(std::ostream& stream, const Verdict& verdict);

}  // namespace pkvmemu::inline v1
