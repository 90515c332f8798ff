// SPDX-License-Identifier: GPL-2.0-only
// Parts that both readers of expectations use: of a scenario and of its wishes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/expectation.h"

namespace pkvmemu::scenario {

/// Where the expectations that are read go, and what they are about.
struct Gathered {
  std::string subject;  ///< of what is read now
  Expectations list{};
};

/// Looks something up in a run: the text that stands for it, "nothing" when it is not there.
using Look = std::function<std::string(const Observed&)>;

/// The looked-up text is this one.
Expectation is_text(std::string subject, Mark at, std::string expected, Look look);
/// One of the looked-up lines contains `part`, or none does.
using LookLines = std::function<std::vector<std::string>(const Observed&)>;
Expectation has_line(std::string subject, Mark at, std::string part, LookLines look);
Expectation lacks_line(std::string subject, Mark at, std::string part, LookLines look);
/// The same for a text or list of texts.
Parsed<void> add_lines(Gathered& gathered, std::string_view key, const YAML::Node& node,
                       const LookLines& look);
Parsed<void> add_lacking(Gathered& gathered, std::string_view key, const YAML::Node& node,
                         const LookLines& look);
/// The looked-up text contains `part`.
Expectation has_part(std::string subject, Mark at, std::string part, Look look);

/// "0x1c (28)".
std::string number_text(std::uint64_t value);

/// A module's state and all that can be said of it.
Parsed<void> add_module(Gathered& gathered, const std::string& module, const YAML::Node& node);
/// A guest's, which `find` finds.
using FindGuest = std::function<const observe::GuestReport*(const Observed&)>;
Parsed<void> add_guest(Gathered& gathered, const FindGuest& find, const YAML::Node& node);

/// Moves `part` over: all of it is about its subject.
void add_group(Gathered& gathered, Gathered part);
/// `general` without the groups that `special` has, and then `special`.
Expectations replaced(Expectations general, Expectations special);
/// The part of `in:` that is the generation's; an undefined node when there is none.
Parsed<YAML::Node> part_of_generation(const YAML::Node& node, pkvm::Generation generation);

}  // namespace pkvmemu::scenario
