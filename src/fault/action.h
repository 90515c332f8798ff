// SPDX-License-Identifier: GPL-2.0-only
// What happens there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fault/place.h"
#include "support/result.h"
#include "symbols/symbol_table.h"

namespace pkvmemu::fault {

/// The step or the function answers so, without having done anything: a site's register gets it; at
/// a function's entry x0 does, and the function has returned; SMC: x0 on; a device: what is read.
struct Answer {
  std::vector<std::int64_t> values = {0};
  bool operator==(const Answer&) const = default;
};
struct FlipRegister {
  unsigned reg = 0;  ///< x0 to x30
  unsigned bit = 0;
  bool operator==(const FlipRegister&) const = default;
};
/// A bit of memory as the code at the place sees it, counted from an address on.
struct FlipMemory {
  struct Register {
    unsigned reg = 0;
    std::uint64_t offset = 0;
    bool operator==(const Register&) const = default;
  };
  std::variant<Va, symbols::Spot, Register> base;
  std::string name;  ///< of the base, as it was written
  std::uint64_t bit = 0;
  bool operator==(const FlipMemory&) const = default;
};
/// Others that need nothing more said.
enum class Deed : std::uint8_t {
  skip,       ///< the instruction is not executed
  repeat,     ///< it is executed twice
  power_cut,  ///< the machine is off
  time_out,   ///< the budget is spent
};

using Action = std::variant<Answer, FlipRegister, FlipMemory, Deed>;

/// "skip", "repeat", "power-cut", "time-out".
std::optional<Deed> deed_of(std::string_view name);
std::string_view name_of(Deed deed);
/// For messages: "skip, repeat, ...".
std::string deed_names();

/// "x3:17", "[0x1234]:3", "[x1+8]:3", "[symbol+8]:3".
Result<Action> parse_flip(std::string_view text, const Names& names);

/// "ENOMEM" or a number of either sign, as an error number of a function: negative.
std::optional<std::int64_t> error_in(std::string_view text);
/// What a place may answer: of a site an error number, of a function that or any other number.
Result<Answer> parse_answer(std::string_view text, const Place& place, const Names& names);

/// "answers -12 (ENOMEM)", "flips bit 17 of x3", ...
std::string text_of(const Action& action);

}  // namespace pkvmemu::fault
