// SPDX-License-Identifier: GPL-2.0-only
#include "rc.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "attack_list.h"
#include "pkvm/el2_only.h"
#include "pkvm/guest.h"
#include "pkvm/hypercall.h"
#include "pkvm/psci_names.h"
#include "support/number.h"

namespace pkvmemu::tool {
namespace {

constexpr std::string_view blanks = " \t\r";

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '$';
  };
  return !text.empty() && text[0] != '-' && std::ranges::all_of(text, allowed);
}

bool starts_with_digit(std::string_view text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9';
}

Result<std::vector<std::uint64_t>> parse_args(std::string_view text, std::size_t most) {
  std::vector<std::uint64_t> args;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const auto value = parse_number(item);
    if (!value)
      return fail("argument {} is '{}', expected a 64-bit number such as 17, 0x11 or -1",
                  args.size() + 1, item);
    args.push_back(*value);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (args.size() > most)
    return fail("{} arguments, expected at most {} (x1 to x{})", args.size(), most, most);
  return args;
}

/// Splits TARGET[:ARG,...] and reads the arguments.
Result<RcLine> parse_target_and_args(RcVerb verb, std::string_view text) {
  const std::size_t most = verb == RcVerb::smc ? max_smc_args : max_call_args;
  RcLine line;
  line.verb = verb;
  const std::size_t colon = text.find(':');
  line.target = text.substr(0, colon);
  if (colon != std::string_view::npos) {
    auto args = parse_args(text.substr(colon + 1), most);
    if (!args) return std::unexpected(args.error());
    line.args = std::move(*args);
  }
  return line;
}

/// Splits X0[:ARG,...].
Result<RcLine> parse_x0_and_args(RcVerb verb, std::string_view text) {
  auto line = parse_target_and_args(verb, text);
  if (!line) return line;
  const auto x0 = parse_number(line->target);
  if (!x0) return fail("'{}' is no value for x0, expected a number", line->target);
  line->target = fmt::format("{:#x}", *x0);
  return line;
}

Result<void> check_call_target(std::string_view target) {
  if (starts_with_digit(target)) {
    const auto id = parse_number(target);
    if (!id || *id < pkvm::first_dynamic_call || *id > 0xFFFF)
      return fail("'{}' is no id of a dynamic call, expected {} to 65535 (--hvc forges any other)",
                  target, pkvm::first_dynamic_call);
    return {};
  }
  const std::size_t slash = target.find('/');
  const bool good = slash == std::string_view::npos
                        ? is_name(target)
                        : is_name(target.substr(0, slash)) && is_name(target.substr(slash + 1));
  if (!good) return fail("'{}' is no handler, expected [MODULE/]SYMBOL or a number", target);
  return {};
}

/// Takes the first word off `text`.
std::string_view take_word(std::string_view& text) {
  const std::size_t start = std::min(text.find_first_not_of(blanks), text.size());
  const std::size_t end = std::min(text.find_first_of(blanks, start), text.size());
  const std::string_view word = text.substr(start, end - start);
  text.remove_prefix(end);
  return word;
}

/// Takes all that is left, without the blanks around it.
std::string_view take_rest(std::string_view& text) {
  const std::size_t start = std::min(text.find_first_not_of(blanks), text.size());
  const std::size_t end = text.find_last_not_of(blanks) + 1;
  const std::string_view rest = start < end ? text.substr(start, end - start) : std::string_view{};
  text = {};
  return rest;
}

Result<RcLine> parse_late(std::string_view name, std::string_view& rest) {
  if (!is_name(name)) return fail("'{}' is no module name", name);
  RcLine line;
  line.verb = RcVerb::late;
  line.target = name;
  line.parameters = take_rest(rest);
  return line;
}

Result<RcLine> parse_el2_line(std::string_view module, std::string_view& rest) {
  if (!is_name(module)) return fail("'{}' is no module name", module);
  const std::string_view word = take_word(rest);
  const bool known = std::ranges::find(pkvm::el2_only::words, word) != pkvm::el2_only::words.end();
  if (!known) return fail("'{}', expected init, hvc or set", word);
  return parse_el2_only(module, word, take_word(rest));
}

Result<RcLine> parse_await(std::string_view extra) {
  if (!extra.empty()) return fail("'{}' is one word too many", extra);
  RcLine line;
  line.verb = RcVerb::await;
  return line;
}

Result<RcLine> parse_verb(std::string_view verb, std::string_view& rest) {
  std::uint64_t repeat = 1;
  std::string_view operand = take_word(rest);
  constexpr std::string_view repeat_prefix = "repeat=";
  if (verb == "call" && operand.starts_with(repeat_prefix)) {
    const auto count = parse_number(operand.substr(repeat_prefix.size()));
    if (!count || *count == 0) return fail("'{}', expected repeat=N with N at least 1", operand);
    repeat = *count;
    operand = take_word(rest);
  }
  Result<RcLine> line = fail(
      "unknown word '{}', expected call, hvc, smc, psci, late, touch, pvm, vm, attack, el2only or "
      "await",
      verb);
  if (verb == "call") line = parse_call(operand);
  if (verb == "hvc") line = parse_hvc(operand);
  if (verb == "smc") line = parse_smc(operand);
  if (verb == "psci") line = parse_psci(operand);
  if (verb == "late") line = parse_late(operand, rest);
  if (verb == "touch") line = parse_touch(operand);
  if (verb == "pvm") line = parse_guest(RcVerb::pvm, operand);
  if (verb == "vm") line = parse_guest(RcVerb::vm, operand);
  if (verb == "attack") line = parse_attack(operand);
  if (verb == pkvm::el2_only::verb) line = parse_el2_line(operand, rest);
  if (verb == "await") line = parse_await(operand);
  if (line) line->repeat = repeat;
  return line;
}

Result<RcLine> parse_line(std::string_view text) {
  const RcPhase phase = take_phase(text);
  const std::string_view word = take_word(text);
  auto line = parse_verb(word, text);
  if (!line) return line;
  line->phase = phase;
  if (const std::string_view extra = take_word(text); !extra.empty())
    return fail("'{}' is one word too many", extra);
  return line;
}

std::string_view name_of(RcVerb verb) {
  switch (verb) {
    case RcVerb::call:
      return "call";
    case RcVerb::hvc:
      return "hvc";
    case RcVerb::smc:
      return "smc";
    case RcVerb::psci:
      return "psci";
    case RcVerb::late:
      return "late";
    case RcVerb::pvm:
      return "pvm";
    case RcVerb::vm:
      return "vm";
    case RcVerb::attack:
      return "attack";
    case RcVerb::touch:
      return "touch";
    case RcVerb::await:
      return "await";
    case RcVerb::el2only:
      return pkvm::el2_only::verb;
  }
  std::unreachable();
}

/// A number as the kernel reads it, or bytes as they are.
Result<std::string> checked_value(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  if (text.starts_with(pkvm::el2_only::bytes_prefix)) {
    const std::string_view bytes = text.substr(pkvm::el2_only::bytes_prefix.size());
    const bool good = !bytes.empty() && bytes.size() % 2 == 0 &&
                      bytes.find_first_not_of(digits) == std::string_view::npos;
    if (!good) return fail("'{}' is no list of bytes, two digits each", bytes);
    return std::string(text);
  }
  const auto number = parse_number(text);
  if (!number) return fail("'{}' is no value: expected a number, or hex:BYTES", text);
  return fmt::format("{:#x}", *number);
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto value = number_in(text);
  if (!value) return std::nullopt;
  if (negative && *value > std::uint64_t{1} << 63) return std::nullopt;
  return negative ? std::uint64_t{0} - *value : *value;
}

Result<RcLine> parse_call(std::string_view text) {
  auto line = parse_target_and_args(RcVerb::call, text);
  if (!line) return line;
  if (const auto checked = check_call_target(line->target); !checked)
    return std::unexpected(checked.error());
  const bool numeric = starts_with_digit(line->target);
  if (const auto id = numeric ? parse_number(line->target) : std::nullopt)
    line->target = fmt::format("{}", *id);
  return line;
}

Result<RcLine> parse_hvc(std::string_view text) {
  return parse_x0_and_args(RcVerb::hvc, text);
}

Result<RcLine> parse_smc(std::string_view text) {
  return parse_x0_and_args(RcVerb::smc, text);
}

Result<RcLine> parse_psci(std::string_view text) {
  auto line = parse_target_and_args(RcVerb::psci, text);
  if (!line || pkvm::psci::find_function(line->target) != nullptr) return line;
  std::vector<std::string_view> names;
  for (const pkvm::psci::Function& function : pkvm::psci::functions)
    names.push_back(function.name);
  return fail("'{}' is no function of PSCI, expected {} (--smc takes any number)", line->target,
              fmt::join(names, ", "));
}

Result<RcLine> parse_el2_only(std::string_view module, std::string_view word,
                              std::string_view operand) {
  RcLine line;
  line.verb = RcVerb::el2only;
  line.target = module;
  const std::size_t equals = operand.find('=');
  const std::string_view symbol = operand.substr(0, equals);
  if (!is_name(symbol) || starts_with_digit(symbol)) return fail("'{}' is no symbol", symbol);
  const bool has_value = equals != std::string_view::npos;
  const std::string_view value = has_value ? operand.substr(equals + 1) : std::string_view{};
  if (word == pkvm::el2_only::init_word && has_value) return fail("expected a symbol alone");
  if (word == pkvm::el2_only::hvc_word && has_value && !is_name(value))
    return fail("'{}' is no name for a handler", value);
  std::string text(operand);
  if (word == pkvm::el2_only::set_word) {
    auto checked = checked_value(value);
    if (!checked) return std::unexpected(checked.error());
    text = fmt::format("{}={}", symbol, *checked);
  }
  line.parameters = fmt::format("{} {}", word, text);
  return line;
}

Result<RcLine> parse_touch(std::string_view text) {
  constexpr std::uint64_t largest_address = (std::uint64_t{1} << 48) - 1;
  const bool known = text.size() > 2 && text[1] == ':' && std::string_view("rwx").contains(text[0]);
  const std::size_t equals = text.find('=');
  const bool has_value = equals != std::string_view::npos;
  if (!known || has_value != (text[0] == 'w'))
    return fail("'{}', expected r:ADDR, w:ADDR=VALUE or x:ADDR", text);
  const std::string_view digits = text.substr(2, has_value ? equals - 2 : equals);
  const auto address = parse_number(digits);
  if (!address || *address > largest_address)
    return fail("'{}' is no physical address, expected a number of up to 48 bits", digits);
  RcLine line;
  line.verb = RcVerb::touch;
  line.target = fmt::format("{}:{:#x}", text[0], *address);
  if (!has_value) return line;
  const auto value = parse_number(text.substr(equals + 1));
  if (!value) return fail("'{}' is no value to write", text.substr(equals + 1));
  line.target += fmt::format("={:#x}", *value);
  return line;
}

namespace {

bool has_empty_item(std::string_view list) {
  return list.starts_with(',') || list.ends_with(',') || list.contains(",,");
}

}  // namespace

Result<RcLine> parse_guest(RcVerb verb, std::string_view program) {
  constexpr std::string_view default_program = "hello";
  RcLine line;
  line.verb = verb;
  line.target = program.empty() ? default_program : program;
  if (line.target.find_first_of(" \t#") != std::string::npos || has_empty_item(line.target))
    return fail("'{}' is no guest program, and no list of some", program);
  const auto guests = static_cast<std::size_t>(std::ranges::count(line.target, ',')) + 1;
  if (guests > pkvm::guest::most_at_once)
    return fail("'{}': {} guests at once, expected at most {}", program, guests,
                pkvm::guest::most_at_once);
  return line;
}

Result<RcLine> parse_attack(std::string_view pattern) {
  RcLine line;
  line.verb = RcVerb::attack;
  line.target = pattern.empty() ? "*" : pattern;
  if (!names_an_attack(line.target))
    return fail("'{}' is no attack; --attack=help lists them", pattern);
  return line;
}

RcPhase take_phase(std::string_view& text) {
  std::string_view rest = text;
  if (take_word(rest) != "early") return RcPhase::normal;
  text = rest.substr(std::min(rest.find_first_not_of(blanks), rest.size()));
  return RcPhase::early;
}

Result<std::vector<RcLine>> parse_rc(std::string_view text, std::string_view origin) {
  std::vector<RcLine> lines;
  for (unsigned number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(blanks) == std::string_view::npos) continue;
    auto parsed = parse_line(line);
    if (!parsed) return fail("{}:{}: {}", origin, number, parsed.error().message);
    lines.push_back(std::move(*parsed));
  }
  return lines;
}

std::string to_text(const RcLine& line) {
  return fmt::format("{}{}{}{}{}{}{:#x}{}{}\n", line.phase == RcPhase::early ? "early " : "",
                     name_of(line.verb), line.target.empty() ? "" : " ",
                     line.repeat == 1 ? "" : fmt::format("repeat={} ", line.repeat), line.target,
                     line.args.empty() ? "" : ":", fmt::join(line.args, ","),
                     line.parameters.empty() ? "" : " ", line.parameters);
}

std::string to_text(std::span<const RcLine> lines) {
  std::string text;
  for (const RcLine& line : lines)
    text += to_text(line);
  return text;
}

}  // namespace pkvmemu::tool
