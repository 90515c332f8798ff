// SPDX-License-Identifier: GPL-2.0-only
// What a run came to: a pure function of what was asked, the events that the guest reported, and
// how the machine stopped. The texts for people are in verdict.h, the JSON in report_json.h.
//
// Records come from guest memory and are believed only as far as a report goes: strings are
// bounded, numbers are shown, nothing is indexed by them unchecked.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "device/world_use.h"
#include "machine/exit.h"
#include "machine/machine.h"
#include "observe/exit_code.h"
#include "observe/expectation.h"
#include "observe/ops_log.h"
#include "observe/place.h"
#include "observe/pvmfw.h"
#include "pkvm/event.h"
#include "pkvm/generation.h"

namespace pkvmemu::observe {

/// When a module is loaded: from the protected list at boot, or by a line of the rc file.
enum class LoadTime : std::uint8_t { boot, late };

struct ModuleRequest {
  std::string name;
  std::string file;  ///< as the user gave it; empty when it is the user's own initramfs
  LoadTime time = LoadTime::boot;
  bool el2_only = false;  ///< its EL1 half does not run
  std::string fp_code{};  ///< the first FP instruction of its EL2 half; empty when there is none
};

/// By which instruction a call leaves EL1.
enum class CallConduit : std::uint8_t { hvc, smc };

struct CallRequest {
  std::string name;  ///< without arguments: "hello/add", "200", "0x80000000"
  std::vector<std::uint64_t> args;
  CallConduit conduit = CallConduit::hvc;
};

/// A fault that was asked for (--fail, --plan), and what became of it.
struct FaultReport {
  std::string site;             ///< or another place, as it was written
  std::uint64_t nth = 1;        ///< the first time that it was to fail, counted from 1
  std::int64_t answer = 0;      ///< what the site answered then
  std::uint64_t reached = 0;    ///< how often the site was reached
  std::uint64_t fired = 0;      ///< how often it failed
  bool fails_a_step = true;     ///< a site, which answers; else `action` says what happens
  bool has_conditions = false;  ///< of a plan, besides nth and times
  std::string action{};         ///< "answers -12 (ENOMEM)", "flips bit 3 of x1"
  std::string where{};          ///< the first time: "el2:0x... f+0x10 [hello]"
  std::string note{};           ///< why it could not be done, though its turn had come
};

/// Everything that make_report looks at.
struct Facts {
  std::vector<ModuleRequest> modules;
  std::vector<CallRequest> calls;    ///< in the order in which they are made
  std::vector<std::string> touches;  ///< likewise: "r:0x50000000"
  std::span<const machine::Event> events;
  machine::Exit exit;
  Pvmfw pvmfw = Pvmfw::absent;
  std::uint64_t instructions = 0;
  std::string console;
  std::vector<FaultReport> faults{};
  std::vector<Expectation> expectations{};
  std::optional<std::uint64_t> seed{};  ///< of faults that come by lot
  std::vector<std::string> corruptions{};
  device::WorldUse world{};
  HypSymbols symbols{};  ///< of the modules' EL2 code; may be empty
  PlaceOf place_of{};    ///< asked when a run ends badly; may be empty
};

enum class LoadState : std::uint8_t {
  loaded,
  failed,
  refused,    ///< a late load that got its specified -EOPNOTSUPP (pkvm-abi.md 3.5)
  not_tried,  ///< an earlier module failed (pkvm-abi.md 6.2)
  unfinished  ///< the run ended before its load did
};

struct HandlerReport {
  std::string symbol;
  std::optional<unsigned> id;  ///< empty when the registration failed
  std::int64_t error = 0;
  std::uint64_t hyp_va = 0;
};

struct ModuleReport {
  std::string name;
  std::string file;
  LoadTime time = LoadTime::boot;
  LoadState state = LoadState::unfinished;
  bool el2_only = false;  ///< its EL1 half was not run
  std::optional<pkvm::Generation> generation;
  bool began_deprivileged = false;  ///< the host had given up its privileges when its load began
  std::int64_t error = 0;
  std::optional<std::int64_t> init_result;  ///< what the module's EL1 init returned, if it ran
  std::optional<pkvm::event::Step> step;    ///< where a failed load stood
  std::string reason;                       ///< the kernel's words for a failure
  std::optional<std::uint64_t> hyp_va;
  std::vector<HandlerReport> handlers;
  std::string fp_code{};                ///< as of its request
  std::vector<std::string> unresolved;  ///< imports that nobody exports, and that refused the load
  std::vector<std::string> stubbed;     ///< the same, bound to stubs (--unresolved=stub)
};

enum class CallState : std::uint8_t {
  good,        ///< x0 = 0; an SMC that came back
  failed,      ///< x0 != 0, or not the answer that is specified
  refused,     ///< a forged call that got its specified -1 (3.5); an SMC that nobody knows
  not_made,    ///< the kernel could not make it
  unfinished,  ///< the run ended before it was made, or inside it
  ended,       ///< the run ended with it, as it had to: a PSCI call that switches off or resets
};

struct CallReport {
  std::string name;
  CallConduit conduit = CallConduit::hvc;
  std::vector<std::uint64_t> args;
  CallState state = CallState::unfinished;
  std::optional<std::uint64_t> function;  ///< x0 of the HVC or SMC
  std::optional<unsigned> id;             ///< number of a host hypercall: 128 and up are modules'
  std::optional<std::array<std::uint64_t, 8>> result;
  std::vector<std::uint64_t> more{};  ///< x8 to x17, of an SMC
  bool x18_changed = false;           ///< the kernel's own, which no handler may change
  std::optional<std::uint64_t> el2_instructions;
  std::string reason;  ///< why it was not made
};

enum class TouchState : std::uint8_t {
  done,
  aborted,     ///< it raised an exception, and the kernel went on
  unfinished,  ///< the run ended before it, or inside it
};

/// One access of the host kernel to a physical address.
struct TouchReport {
  std::string name;  ///< as asked for: "w:0x50000000=0x1"
  TouchState state = TouchState::unfinished;
  std::uint64_t value = 0;  ///< what it read; of a write what it wrote
  std::uint64_t esr = 0;    ///< ESR_EL1 and FAR_EL1 when it aborted
  std::uint64_t far = 0;
};

/// A step of running a guest, as the kernel's monitor told it.
struct GuestStep {
  std::string what;
  std::int64_t answer = 0;  ///< 0 or -errno
  std::uint64_t told = 0;   ///< of firmware info: the size in bytes
};

/// A guest that the kernel was asked to run (--pvm, --vm).
struct GuestReport {
  std::string name;
  std::uint64_t number = 0;  ///< of the guests in this run, from 1
  bool is_protected = false;
  bool ended = false;  ///< torn down, or given up
  bool ran = false;    ///< to its own end
  std::vector<GuestStep> steps{};
  std::vector<std::string> console{};
};

/// A protected guest that was given firmware, which says so first thing (firmware/guest/pvmfw.cpp);
/// a guest without may say the same.
bool firmware_reported_in(const GuestReport& guest);

/// An attack of the host (--attack).
struct AttackReport {
  std::string name;
  bool is_fatal = false;  ///< as specified, the hypervisor panics
  bool ended = false;
  bool as_specified = false;
  std::string wrong{};  ///< what was not
};

struct MissingOp {
  std::string name;
  std::uint64_t slot = 0;
  std::uint64_t caller = 0;  ///< hyp VA it returns to
};

/// An op that refused what a module gave it, or that was given NULL for a function.
struct RefusedOp {
  std::string name;
  std::int64_t answer = 0;  ///< 0: it took the NULL, or has no answer
  pkvm::event::RefusedSubject subject = pkvm::event::RefusedSubject::function;
  std::uint64_t value = 0;   ///< the function, or the physical address of the first page
  std::uint64_t caller = 0;  ///< hyp VA it returns to
  std::uint64_t count = 1;
  std::string value_place{};  ///< the function's name
  std::string where{};        ///< of the call
};

/// What a module wrote into the trace buffer (--trace-events).
struct TraceEvent {
  std::string name;
  std::string text;
};

/// A run came to where released kernels have a defect (pkvm/quirk.h).
struct MetDefect {
  std::string name;
  bool reproduced = false;
};

/// Calls of a declared stub, or of one that stands for a symbol nobody exports.
struct StubUse {
  std::string symbol;
  bool declared = false;
  std::uint64_t count = 0;
};

/// A call that kCFI stopped (pkvm-abi.md 1.8).
struct CfiFailure {
  std::uint64_t callee = 0;
  std::uint32_t expected = 0;  ///< the word that the caller's pointer type has
  std::uint32_t found = 0;     ///< the one before the callee; 0 where it could not be read
};

/// The same for people; parts that are not known are empty.
struct PanicDiagnosis {
  std::string what;
  std::string where;   ///< "hello_hvc+0x8 [hello]"
  std::string caller;  ///< where a module called it, when `where` is not the module's
  std::string advice;  ///< what its author can do
};

struct HypPanic {
  std::uint64_t esr = 0, spsr = 0, elr = 0, far = 0, hpfar = 0, par = 0;
  std::uint64_t link = 0, sp = 0;
  std::uint64_t module_caller = 0;  ///< return address to the innermost module on the stack, or 0
  std::optional<CfiFailure> cfi{};
  std::string registered_with{};  ///< the op by which a module registered what was to be called
  std::string note{};             ///< what the registers do not say
  PanicDiagnosis told{};
};

/// Whether protected VMs can be had (pkvm-abi.md 6.5). Only a VM that was started can say yes.
enum class Availability : std::uint8_t {
  available,      ///< one was started, and its firmware reported in
  not_available,  ///< it could not be, or what the run did leaves no firmware
  not_verified,   ///< none was started, and nothing speaks against it
};

struct ProtectedVms {
  Availability state = Availability::not_available;
  std::string reason;
  std::vector<GuestStep> steps{};  ///< of the VM that the answer rests on
};

struct RunReport {
  std::vector<ModuleReport> modules;
  std::vector<CallReport> calls;
  std::vector<TouchReport> touches;
  std::vector<GuestReport> guests;
  std::optional<GuestReport> probe;  ///< the VM that the kernel started of its own accord
  std::vector<AttackReport> attacks;
  device::WorldUse world;  ///< scripted devices, and calls of EL3
  std::vector<FaultReport> faults;
  std::vector<Expectation> expectations;
  std::optional<std::uint64_t> seed;     ///< of faults that come by lot
  std::vector<std::string> corruptions;  ///< of modules' files, in words
  std::vector<OpCall> ops;               ///< with --log-ops
  std::vector<TraceEvent> trace_events;  ///< with --trace-events
  std::vector<MissingOp> missing_ops;
  std::vector<RefusedOp> refused_ops;  ///< each kind at each place once
  std::vector<MetDefect> defects;
  std::vector<StubUse> stub_uses;  ///< in the order of first use
  std::optional<pkvm::Generation> generation;
  std::optional<HypPanic> hyp_panic;
  std::optional<std::string> host_panic;
  std::vector<std::string> internal_errors;  ///< what shows a bug of ours
  bool deprivileged = false;
  ProtectedVms protected_vms;
  machine::Exit exit;
  std::string exit_place;  ///< where the CPU was when the run did not come to its own end
  ExitCode exit_code = ExitCode::good;
  std::uint64_t instructions = 0;
  std::string console;
};

RunReport make_report(const Facts& facts);

/// The reason of a load that did not succeed, in a few words: "init returned -12 (ENOMEM)".
std::string failure_text(const ModuleReport& module);

/// A PSCI call ended the run, as it had to.
bool was_switched_off(const RunReport& report);

/// "-12 (ENOMEM)", or the bare number when the error has no name here.
std::string error_text(std::int64_t error);

/// Stable names for reports: "find-file", "init-module", ...; "unknown" for a number out of range.
std::string_view name_of(pkvm::event::Step step);

}  // namespace pkvmemu::observe
