// SPDX-License-Identifier: GPL-2.0-only
// One fault: where, when, and what happens then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fault/action.h"
#include "fault/place.h"
#include "fault/turn.h"
#include "support/result.h"

namespace pkvmemu::fault {

/// Code that the call path may come through: a function, or a range of addresses.
struct Range {
  std::variant<symbols::Symbol, AddressPlace> start;
  std::uint64_t size = 0;
  std::string name;  ///< as it was written
};

struct Fault {
  std::string name;  ///< of the place, as it was written: "hyp.donate", "hello/hello_hvc+0x10"
  Place place;
  Turn turn{};
  Action action{};
  /// Only where the call path comes through all of these.
  std::vector<Range> require{};
  /// Not where it comes through any of these.
  std::vector<Range> reject{};
};

/// More than its nth time decides whether it happens.
bool has_conditions(const Fault& fault);

/// A site's own failure: what it usually answers, or `answer`.
Fault fail_site(const Site& site, const Turn& turn = {},
                std::optional<std::int64_t> answer = std::nullopt);

/// "PLACE[:nth=N][:times=N|all][:return=VALUE|:flip=WHAT:BIT|:skip|:repeat|:power-cut|:time-out]".
Result<Fault> parse_fault(std::string_view text, const Names& names);

/// Of a fault that says only where: at a site that answers with an error, that; elsewhere there is
/// no answer that can be meant.
Result<Action> usual_action(const Place& place, const Names& names);

/// Whether the action can be done at the place.
Result<void> check_action(const Action& action, const Place& place);

/// "N" or "all"; of "times".
Result<std::uint64_t> parse_times(std::string_view text);

}  // namespace pkvmemu::fault
