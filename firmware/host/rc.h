// SPDX-License-Identifier: GPL-2.0-only
// /pkvm-emu.rc: what the user wants done after the protected modules, one wish per line. The
// grammar is in docs/rc.md; this is its parser. Pure: views into the text, no memory of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

namespace pkvmemu::host {

enum class WishKind : std::uint8_t {
  call,     ///< a dynamic hypercall, by handler name or number
  hvc,      ///< HVC with x0 as given
  smc,      ///< SMC with x0 as given
  psci,     ///< a function of PSCI by its name; the kernel comes back from a suspend
  late,     ///< insmod
  touch,    ///< one access of the kernel to a physical address
  pvm,      ///< run a guest in a protected VM
  vm,       ///< run a guest in an ordinary VM
  attack,   ///< attack guests, before and after
  await,    ///< lines that are handed in while the machine runs (await.h)
  setting,  ///< read when its module is loaded (pkvm/el2_only.h); there is nothing to do
};

/// What a touch does there.
enum class Access : std::uint8_t { read, write, execute };

/// Before the host gives up its privileges, or after (the default).
enum class WishPhase : std::uint8_t { early, after };

struct Wish {
  WishKind kind = WishKind::call;
  WishPhase phase = WishPhase::after;
  std::uint64_t repeat = 1;
  std::string_view target;              ///< as written: symbol, number, module
  std::string_view module_arguments{};  ///< late: what follows the module's name
  std::optional<std::uint64_t>
      number;                    ///< call: dynamic number; hvc, smc, psci: x0; touch: address
  Access access = Access::read;  ///< touch; what to write is the argument
  std::array<std::uint64_t, 17> arguments{};
  std::size_t argument_count = 0;

  std::span<const std::uint64_t> given() const { return {arguments.data(), argument_count}; }
};

enum class RcError : std::uint8_t {
  unknown_verb,
  no_target,
  bad_repeat,
  bad_number,
  bad_argument,
  too_many_arguments,
  not_dynamic,
  trailing_text,
  bad_access,
  bad_address,
  no_function,
  bad_setting,
};

/// One line without its newline; nothing for a blank line or a comment.
std::expected<std::optional<Wish>, RcError> parse_rc_line(std::string_view line);

/// The sentence for an error.
std::string_view words_of(RcError error);

}  // namespace pkvmemu::host
