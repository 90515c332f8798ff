// SPDX-License-Identifier: GPL-2.0-only
#include "observe/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "observe/syndrome.h"
#include "pkvm/kcfi_types.h"
#include "support/bits.h"

namespace pkvmemu::observe {
namespace {

// More of ESR_EL2 (Arm ARM D17.2.37).
constexpr std::uint64_t ec_fp = 0x07;
constexpr std::uint64_t permission_fault = 0b0011;
constexpr std::uint64_t brk_bug = 0x800;
constexpr std::uint64_t page = 0x1000;

/// A panic and what is known of the addresses in it.
struct Seen {
  const HypPanic& panic;
  Place at;                     ///< ELR_EL2
  Place target;                 ///< FAR_EL2 of an abort
  bool target_is_gone = false;  ///< in a module that did not load

  [[nodiscard]] std::uint64_t exception_class() const { return bits(panic.esr, 31, 26); }
  [[nodiscard]] bool is_fetch() const { return exception_class() == ec_instruction_abort; }
  [[nodiscard]] bool is_access() const { return exception_class() == ec_data_abort; }
  [[nodiscard]] bool is_write() const { return is_access() && test_bit(panic.esr, 6); }
  [[nodiscard]] bool is_brk(std::uint64_t immediate) const {
    return exception_class() == ec_brk && bits(panic.esr, 15, 0) == immediate;
  }
  /// The page is there, and may not be used so.
  [[nodiscard]] bool is_refused() const { return bits(panic.esr, 5, 2) == permission_fault; }
  [[nodiscard]] bool is_host() const { return bits(panic.spsr, 3, 2) != 2; }
};

/// EL2 notes what SP shows; a store that would have moved SP below its page has not.
bool is_stack_overflow(const Seen& seen) {
  constexpr std::uint64_t near = 4 * page;
  if (seen.panic.note == "hyp stack overflow") return true;
  const std::uint64_t sp = seen.panic.sp;
  const std::uint64_t far = seen.panic.far;
  return seen.is_access() && !seen.is_refused() && far < sp && sp - far < near &&
         far / page != sp / page;
}
/// kCFI reads the word before the callee first.
bool is_null_check(const Seen& seen) {
  return seen.is_access() && !seen.is_write() &&
         seen.panic.far == std::uint64_t{0} - sizeof(std::uint32_t);
}
bool is_null_call(const Seen& seen) {
  return (seen.is_fetch() && seen.panic.elr < page) || is_null_check(seen);
}
bool is_misaligned_callee(const Seen& seen) {
  return seen.panic.cfi && seen.panic.cfi->callee % sizeof(std::uint32_t) != 0;
}
bool is_kernel_address(const Seen& seen) {
  constexpr unsigned upper_half = 55;
  return seen.is_access() && test_bit(seen.panic.far, upper_half);
}

/// A callback of a module whose code is gone, or the word before it, which kCFI reads first.
bool is_call_into_nothing(const Seen& seen) {
  return seen.target_is_gone && (seen.is_fetch() || seen.at.image == "hyp");
}

struct Advice {
  bool (*applies)(const Seen& seen);
  std::string_view text;
};

/// The first that applies. Each row is one of docs/wrong-uses.md.
constexpr std::array advices = {
    Advice{
        [](const Seen& seen) { return seen.is_host(); },
        "an interrupt or an error was routed to EL2: look at what the module changed in HCR_EL2"},
    Advice{is_stack_overflow,
           "EL2 has one page of stack on each CPU: no recursion, no large local variables; keep "
           "buffers in the module's .bss, or take them from hyp_alloc()"},
    Advice{is_misaligned_callee,
           "what was registered is not the address of a function: code begins at multiples of 4"},
    Advice{[](const Seen& seen) { return seen.exception_class() == ec_pc_alignment; },
           "what was called or registered is not the address of a function: code begins at "
           "multiples of 4"},
    Advice{[](const Seen& seen) { return seen.panic.cfi && !seen.panic.registered_with.empty(); },
           "write the function with the type that the operation takes, and register it without a "
           "cast"},
    Advice{[](const Seen& seen) { return seen.panic.cfi.has_value(); },
           "give the function and the pointer one type, without casts; or the pointer was "
           "overwritten"},
    Advice{is_null_call,
           "test a pointer before the call; an operation that this kernel has not is NULL in its "
           "table: 'pkvm-emu inspect' lists those that a module uses"},
    Advice{is_call_into_nothing,
           "an init that fails must not leave callbacks behind: register as its last step, when "
           "nothing can fail any more"},
    Advice{[](const Seen& seen) { return seen.is_fetch() && seen.is_refused(); },
           "only .hyp.text can be executed: no code in data, no code made at run time"},
    Advice{[](const Seen& seen) { return seen.is_fetch(); },
           "no code lies there: a function pointer was overwritten, never set, or is the kernel's "
           "address of a function"},
    Advice{[](const Seen& seen) {
             return seen.is_write() && seen.is_refused() && seen.target.section == ".hyp.text";
           },
           "code cannot be written at EL2: keep what changes in .hyp.data or .hyp.bss; code is "
           "patched by EL1 before the load"},
    Advice{[](const Seen& seen) {
             return seen.is_write() && seen.is_refused() && seen.target.section == ".hyp.rodata";
           },
           "constants cannot be written: take the const away, and do not cast it away"},
    Advice{[](const Seen& seen) { return seen.is_access() && seen.panic.far < page; },
           "test the pointer: an operation that could not give memory answers NULL"},
    Advice{is_kernel_address,
           "that is an address of the kernel, which EL2 has not: convert it with kern_hyp_va(), or "
           "pass a page frame number and use hyp_va()"},
    Advice{[](const Seen& seen) { return seen.is_write() && seen.is_refused(); },
           "the page is mapped at EL2, but not to be written: look at the prot it was mapped with"},
    Advice{[](const Seen& seen) { return seen.is_access(); },
           "EL2 reaches its own pages alone: memory of the host has to be donated, or shared and "
           "pinned, first (host_donate_hyp, host_share_hyp, pin_shared_mem), or mapped for a while "
           "(fixmap_map); a device with create_private_mapping"},
    Advice{[](const Seen& seen) { return seen.exception_class() == ec_sp_alignment; },
           "SP has to be a multiple of 16 whenever it is used"},
    Advice{[](const Seen& seen) { return seen.exception_class() == ec_fp; },
           "EL2 must not use FP and SIMD registers, which hold values of the host: compile with "
           "-mgeneral-regs-only"},
    Advice{[](const Seen& seen) { return seen.exception_class() == ec_unknown; },
           "the CPU has no such instruction (or what was executed is no code): unreachable code, "
           "__builtin_trap(), or an extension that the CPU lacks"},
    Advice{[](const Seen& seen) { return seen.is_brk(brk_bug) && seen.at.image == "hyp"; },
           "the hypervisor found its own rules broken by what the module asked for: look at the "
           "operation that was called, with --log-ops"},
    Advice{[](const Seen& seen) { return seen.is_brk(brk_bug); },
           "at EL2 a WARN is as fatal as a BUG: answer an error instead"},
    Advice{[](const Seen& seen) { return seen.exception_class() == ec_brk; },
           "a BRK is fatal at EL2: compile the EL2 half without sanitizers, and take breakpoints "
           "out"},
};

std::string type_text(std::uint32_t word) {
  const pkvm::kcfi::Type* const type = pkvm::kcfi::find_type(word);
  if (type == nullptr) return fmt::format("a type with the word {:#010x}", word);
  if (type->role.empty()) return fmt::format("'{}'", type->prototype);
  return fmt::format("'{}' ({})", type->prototype, type->role);
}

std::string or_number(const Place& place, std::uint64_t address) {
  return place.text.empty() ? fmt::format("{:#x}", address) : place.text;
}

std::string cfi_text(const HypPanic& panic, const PlaceOf& place_of) {
  const CfiFailure& cfi = *panic.cfi;
  const Place callee = place_of ? place_of(cfi.callee, 2) : Place{};
  return fmt::format(
      "kCFI: {} is called as {}, and has {}{}", or_number(callee, cfi.callee),
      type_text(cfi.expected),
      pkvm::kcfi::find_type(cfi.found) == nullptr ? "another type" : type_text(cfi.found),
      panic.registered_with.empty() ? ""
                                    : fmt::format("; {} registered it", panic.registered_with));
}

std::string what_of(const Seen& seen, const PlaceOf& place_of) {
  const HypPanic& panic = seen.panic;
  if (is_stack_overflow(seen))
    return fmt::format("stack overflow: SP {:#x}, and {} below the CPU's stack", panic.sp,
                       syndrome_text(panic.esr, panic.far));
  if (panic.cfi) return cfi_text(panic, place_of);
  if (is_null_call(seen)) return "a call through a null pointer";
  std::string text = syndrome_text(panic.esr, panic.far);
  if ((seen.is_fetch() || seen.is_access()) && !seen.target.text.empty())
    text += fmt::format(", which is {}{}", seen.target.text,
                        seen.target.section.empty() ? "" : " in " + seen.target.section);
  if (is_call_into_nothing(seen))
    text += fmt::format(": module {} did not load, and its code is gone", seen.target.image);
  const bool was_called =
      seen.is_fetch() || seen.is_access() || seen.exception_class() == ec_pc_alignment;
  if (was_called && !panic.registered_with.empty())
    text += fmt::format("; {} registered it", panic.registered_with);
  return text;
}

bool did_not_load(const RunReport& report, const std::string& name) {
  return std::ranges::any_of(report.modules, [&](const ModuleReport& module) {
    return module.name == name && module.state == LoadState::failed;
  });
}

}  // namespace

PanicDiagnosis diagnose(const HypPanic& panic, const RunReport& report, const PlaceOf& place_of) {
  const auto place = [&](std::uint64_t address) {
    return place_of ? place_of(address, 2) : Place{};
  };
  Seen seen{.panic = panic, .at = place(panic.elr), .target = place(panic.far)};
  seen.target_is_gone = did_not_load(report, seen.target.image);
  PanicDiagnosis told{.what = what_of(seen, place_of),
                      .where = seen.is_fetch() ? "" : seen.at.text,
                      .caller = {},
                      .advice = {}};
  // The return address lies behind the call.
  const bool is_module_code = !seen.at.image.empty() && seen.at.image != "hyp" && !seen.is_fetch();
  if (panic.module_caller != 0 && !is_module_code)
    told.caller = place(panic.module_caller - sizeof(std::uint32_t)).text;
  const auto* const row =
      std::ranges::find_if(advices, [&seen](const Advice& advice) { return advice.applies(seen); });
  if (row != advices.end()) told.advice = row->text;
  return told;
}

}  // namespace pkvmemu::observe
