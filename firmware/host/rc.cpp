// SPDX-License-Identifier: GPL-2.0-only
#include "host/rc.h"

#include "lib/string.h"
#include "pkvm/el2_only.h"
#include "pkvm/hypercall.h"
#include "pkvm/psci_names.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

using Parsed = std::expected<void, RcError>;

constexpr std::uint64_t largest_call = 0xffff;  // KVM_HOST_SMCCC_ID keeps 16 bits

constexpr std::uint64_t largest_address = low_mask(48);

struct AccessLetter {
  std::string_view letter;
  Access access;
};
constexpr std::array access_letters = {
    AccessLetter{.letter = "r", .access = Access::read},
    AccessLetter{.letter = "w", .access = Access::write},
    AccessLetter{.letter = "x", .access = Access::execute},
};

/// How many a call carries: in x1 to x7, an SMC up to x17 (pkvm-abi.md 4.4, 8.3).
constexpr std::size_t call_arguments = 7;
constexpr std::size_t smc_arguments = 17;

Parsed parse_arguments(Wish& wish, std::string_view list, std::size_t most) {
  while (!list.empty()) {
    const auto value = fw::parse_number(fw::trim(fw::take_until(list, ',')));
    if (!value) return std::unexpected(RcError::bad_argument);
    if (wish.argument_count == most) return std::unexpected(RcError::too_many_arguments);
    wish.arguments[wish.argument_count++] = *value;
  }
  return {};
}

bool starts_with_digit(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

/// TARGET[:ARG,...]
Parsed parse_target(Wish& wish, std::string_view text, std::size_t most = call_arguments) {
  wish.target = fw::trim(fw::take_until(text, ':'));
  if (wish.target.empty()) return std::unexpected(RcError::no_target);
  if (starts_with_digit(wish.target)) {
    wish.number = fw::parse_number(wish.target);
    if (!wish.number) return std::unexpected(RcError::bad_number);
  }
  return parse_arguments(wish, text, most);
}

Parsed parse_call(Wish& wish, std::string_view rest) {
  constexpr std::string_view repeat = "repeat=";
  rest = fw::trim(rest);
  if (rest.starts_with(repeat)) {
    std::string_view word = fw::take_word(rest);
    word.remove_prefix(repeat.size());
    const auto count = fw::parse_number(word);
    if (!count || *count == 0) return std::unexpected(RcError::bad_repeat);
    wish.repeat = *count;
  }
  if (auto parsed = parse_target(wish, rest); !parsed) return parsed;
  const bool dynamic =
      !wish.number || (*wish.number >= pkvm::first_dynamic_call && *wish.number <= largest_call);
  if (!dynamic) return std::unexpected(RcError::not_dynamic);
  return {};
}

Parsed parse_x0(Wish& wish, std::string_view rest, std::size_t most) {
  if (auto parsed = parse_target(wish, rest, most); !parsed) return parsed;
  if (!wish.number) return std::unexpected(RcError::bad_number);
  return {};
}
Parsed parse_hvc(Wish& wish, std::string_view rest) {
  return parse_x0(wish, rest, call_arguments);
}
Parsed parse_smc(Wish& wish, std::string_view rest) {
  return parse_x0(wish, rest, smc_arguments);
}

/// NAME[:ARG,...]
Parsed parse_psci(Wish& wish, std::string_view rest) {
  if (auto parsed = parse_target(wish, rest); !parsed) return parsed;
  const pkvm::psci::Function* function = pkvm::psci::find_function(wish.target);
  if (function == nullptr) return std::unexpected(RcError::no_function);
  wish.number = function->id;
  return {};
}

Parsed parse_late(Wish& wish, std::string_view rest) {
  wish.target = fw::take_word(rest);
  if (wish.target.empty()) return std::unexpected(RcError::no_target);
  wish.module_arguments = fw::trim(rest);
  return {};
}

/// r:ADDR, w:ADDR=VALUE or x:ADDR; the address is physical.
Parsed parse_touch(Wish& wish, std::string_view rest) {
  wish.target = fw::take_word(rest);
  if (wish.target.empty()) return std::unexpected(RcError::no_target);
  if (!fw::trim(rest).empty()) return std::unexpected(RcError::trailing_text);
  std::string_view text = wish.target;
  const std::string_view letter = fw::take_until(text, ':');
  bool known = false;
  for (const AccessLetter& row : access_letters) {
    if (letter != row.letter) continue;
    wish.access = row.access;
    known = true;
  }
  if (!known) return std::unexpected(RcError::bad_access);
  const bool has_value = text.find('=') != std::string_view::npos;
  wish.number = fw::parse_number(fw::take_until(text, '='));
  if (!wish.number || *wish.number > largest_address) return std::unexpected(RcError::bad_address);
  if (has_value != (wish.access == Access::write)) return std::unexpected(RcError::bad_access);
  if (!has_value) return {};
  const auto value = fw::parse_number(text);
  if (!value) return std::unexpected(RcError::bad_argument);
  wish.arguments[wish.argument_count++] = *value;
  return {};
}

/// One word, or what stands for none.
Parsed parse_word(Wish& wish, std::string_view rest, std::string_view otherwise) {
  wish.target = fw::take_word(rest);
  if (wish.target.empty()) wish.target = otherwise;
  if (!fw::trim(rest).empty()) return std::unexpected(RcError::trailing_text);
  return {};
}

/// The program is optional.
Parsed parse_guest(Wish& wish, std::string_view rest) {
  return parse_word(wish, rest, "hello");
}
Parsed parse_await(Wish& /*wish*/, std::string_view rest) {
  if (!fw::trim(rest).empty()) return std::unexpected(RcError::trailing_text);
  return {};
}
/// So is the pattern.
Parsed parse_attack(Wish& wish, std::string_view rest) {
  return parse_word(wish, rest, "*");
}

/// MODULE init|hvc|set ...
Parsed parse_setting(Wish& wish, std::string_view rest) {
  wish.target = fw::take_word(rest);
  if (wish.target.empty()) return std::unexpected(RcError::no_target);
  const std::string_view word = fw::take_word(rest);
  bool known = false;
  for (const std::string_view other : pkvm::el2_only::words)
    known = known || word == other;
  if (!known || fw::take_word(rest).empty()) return std::unexpected(RcError::bad_setting);
  if (!fw::trim(rest).empty()) return std::unexpected(RcError::trailing_text);
  return {};
}

struct Verb {
  std::string_view name;
  WishKind kind;
  Parsed (*parse)(Wish&, std::string_view);
};
constexpr std::array verbs = {
    Verb{.name = "call", .kind = WishKind::call, .parse = parse_call},
    Verb{.name = "hvc", .kind = WishKind::hvc, .parse = parse_hvc},
    Verb{.name = "smc", .kind = WishKind::smc, .parse = parse_smc},
    Verb{.name = "psci", .kind = WishKind::psci, .parse = parse_psci},
    Verb{.name = "late", .kind = WishKind::late, .parse = parse_late},
    Verb{.name = "pvm", .kind = WishKind::pvm, .parse = parse_guest},
    Verb{.name = "vm", .kind = WishKind::vm, .parse = parse_guest},
    Verb{.name = "attack", .kind = WishKind::attack, .parse = parse_attack},
    Verb{.name = "touch", .kind = WishKind::touch, .parse = parse_touch},
    Verb{.name = pkvm::el2_only::verb, .kind = WishKind::setting, .parse = parse_setting},
    Verb{.name = "await", .kind = WishKind::await, .parse = parse_await},
};

}  // namespace

std::expected<std::optional<Wish>, RcError> parse_rc_line(std::string_view line) {
  std::string_view rest = fw::trim(fw::take_until(line, '#'));
  if (rest.empty()) return std::nullopt;
  Wish wish;
  std::string_view word = fw::take_word(rest);
  if (word == "early") {
    wish.phase = WishPhase::early;
    word = fw::take_word(rest);
  }
  for (const Verb& verb : verbs) {
    if (verb.name != word) continue;
    wish.kind = verb.kind;
    if (const auto parsed = verb.parse(wish, rest); !parsed) return std::unexpected(parsed.error());
    return wish;
  }
  return std::unexpected(RcError::unknown_verb);
}

std::string_view words_of(RcError error) {
  switch (error) {
    case RcError::unknown_verb:
      return "a line starts with call, hvc, smc, psci, late, touch, pvm, vm, attack, "
             "el2only or await, "
             "after an optional early";
    case RcError::no_target:
      return "says not what to call, load or touch";
    case RcError::bad_repeat:
      return "repeat= takes a number from 1 up";
    case RcError::bad_number:
      return "not a number (decimal, or 0x and hexadecimal)";
    case RcError::bad_argument:
      return "an argument is not a number (decimal, or 0x and hexadecimal)";
    case RcError::too_many_arguments:
      return "a call takes up to 7 arguments, x1 to x7; an smc up to 17";
    case RcError::not_dynamic:
      return "dynamic calls have numbers from 128 to 65535; for others use hvc";
    case RcError::trailing_text:
      return "text after the name or address";
    case RcError::bad_access:
      return "touch takes r:ADDR, w:ADDR=VALUE or x:ADDR";
    case RcError::bad_address:
      return "not a physical address of up to 48 bits";
    case RcError::no_function:
      return "not a function of PSCI by name: version, suspend, off, on, affinity-info, "
             "migrate-info-type, system-off, system-reset, system-reset2, features, system-suspend";
    case RcError::bad_setting:
      return "el2only takes MODULE, and init SYMBOL, hvc SYMBOL[=NAME] or set SYMBOL=VALUE";
  }
  return "";
}

}  // namespace pkvmemu::host
