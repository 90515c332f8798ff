// SPDX-License-Identifier: GPL-2.0-only
// The wishes that reach the guest kernel as data: lines of /pkvm-emu.rc in the initramfs, the same
// on our machine and on QEMU. One line is
//   [early] call [repeat=N] NAME[:ARG,...]   NAME is [MODULE/]SYMBOL or a number, 128 and up
//   [early] hvc X0[:ARG,...]                 a raw HVC, to forge calls with
//   pvm PROGRAM, vm PROGRAM                  a guest in a protected or an ordinary VM
//   attack PATTERN                           attacks of the host on guests, before and after
//   [early] smc X0[:ARG,...]                 an SMC, which the hypervisor traps
//   [early] psci NAME[:ARG,...]              a function of PSCI by its name
//   [early] late MODULE [PARAMETER=VALUE...] insmod after boot
//   [early] touch r:PA | w:PA=VALUE | x:PA   an access of the kernel to a physical address
//   el2only MODULE init|hvc|set ...          only the module's EL2 half is loaded (pkvm/el2_only.h)
//   [early] await                            lines that are handed in while the machine runs
// `early` lines run before the host is deprivileged, the others after. '#' starts a comment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace pkvmemu::tool {

/// x1 to x7.
inline constexpr std::size_t max_call_args = 7;
inline constexpr std::size_t max_smc_args = 17;

enum class RcVerb : std::uint8_t {
  call,
  hvc,
  smc,
  psci,
  late,
  touch,
  pvm,
  vm,
  attack,
  await,
  el2only
};
/// Before or after the host is deprivileged.
enum class RcPhase : std::uint8_t { early, normal };

struct RcLine {
  RcVerb verb = RcVerb::call;
  RcPhase phase = RcPhase::normal;
  std::uint64_t repeat = 1;
  std::string target;  ///< handler or number; x0 in hexadecimal; module; a touch as a whole
  std::vector<std::uint64_t> args;
  std::string parameters{};  ///< late: of the module; el2only: what follows it; as written
  bool operator==(const RcLine&) const = default;
};

/// Decimal, 0x hexadecimal, or negative (two's complement); nothing for all else.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// What --call, --hvc and --smc take. The error says which part is wrong and what was expected.
Result<RcLine> parse_call(std::string_view text);
Result<RcLine> parse_hvc(std::string_view text);
/// What --pvm and --vm take: a program that the kernel carries, or a path in the initramfs.
Result<RcLine> parse_guest(RcVerb verb, std::string_view program);
/// What --attack takes: the name of an attack, or a pattern with `*`.
Result<RcLine> parse_attack(std::string_view pattern);
Result<RcLine> parse_smc(std::string_view text);
/// What --psci takes.
Result<RcLine> parse_psci(std::string_view text);
/// What --init, --hvc SYMBOL and --set take, as a line about the module: `word` is that of the
/// line.
Result<RcLine> parse_el2_only(std::string_view module, std::string_view word,
                              std::string_view operand);
/// What --touch takes.
Result<RcLine> parse_touch(std::string_view text);

/// A whole file; `origin` names it in errors.
Result<std::vector<RcLine>> parse_rc(std::string_view text, std::string_view origin);

/// Takes a leading "early" off, which every wish may have.
RcPhase take_phase(std::string_view& text);

std::string to_text(const RcLine& line);
std::string to_text(std::span<const RcLine> lines);

}  // namespace pkvmemu::tool
