// SPDX-License-Identifier: GPL-2.0-only
#include "fault/fault.h"

#include <algorithm>
#include <array>

#include "support/number.h"

namespace pkvmemu::fault {
namespace {

/// What stands between two colons; "::" is part of a C++ name, and so is "el1:" of an address.
std::string_view first_item(std::string_view text) {
  std::size_t from = text.starts_with("el1:") || text.starts_with("el2:") ? 4 : 0;
  for (;;) {
    const std::size_t colon = text.find(':', from);
    if (colon == std::string_view::npos || !text.substr(colon).starts_with("::"))
      return text.substr(0, colon);
    from = colon + 2;
  }
}

Result<void> set_nth(Fault& fault, std::string_view value, const Names& /*names*/) {
  const auto number = number_in(value);
  if (!number || *number == 0)
    return fail("nth={}: expected which time it fails, 1 or more", value);
  fault.turn.nth = *number;
  return {};
}

Result<void> set_times(Fault& fault, std::string_view value, const Names& /*names*/) {
  const auto times = parse_times(value);
  if (!times) return std::unexpected(times.error());
  fault.turn.times = *times;
  return {};
}

Result<void> set_return(Fault& fault, std::string_view value, const Names& names) {
  auto answer = parse_answer(value, fault.place, names);
  if (!answer) return std::unexpected(answer.error());
  fault.action = std::move(*answer);
  return {};
}

Result<void> set_flip(Fault& fault, std::string_view value, const Names& names) {
  auto flip = parse_flip(value, names);
  if (!flip) return std::unexpected(flip.error());
  fault.action = std::move(*flip);
  return {};
}

struct Key {
  std::string_view name;
  bool is_action = false;
  Result<void> (*set)(Fault& fault, std::string_view value, const Names& names);
};
constexpr std::array keys = {Key{"nth", false, set_nth}, Key{"times", false, set_times},
                             Key{"return", true, set_return}, Key{"flip", true, set_flip}};

/// The items behind the place.
class Items {
 public:
  Items(Fault& fault, const Names& names) : fault_(fault), names_(names) {}

  Result<void> take(std::string_view text) {
    while (!text.empty()) {
      text.remove_prefix(1);  // the colon
      std::string_view item = first_item(text);
      // The bit that is flipped has a colon before it.
      if (item.starts_with("flip=") && item.size() < text.size()) {
        const std::size_t end = text.find(':', item.size() + 1);
        item = text.substr(0, end);
      }
      if (auto done = set(item); !done) return done;
      text.remove_prefix(item.size());
    }
    return {};
  }
  [[nodiscard]] bool has_action() const { return has_action_; }

 private:
  Result<void> set(std::string_view item) {
    if (const auto deed = deed_of(item)) {
      fault_.action = *deed;
      return only_action(item);
    }
    const std::size_t equals = item.find('=');
    const auto* const key = std::ranges::find(keys, item.substr(0, equals), &Key::name);
    if (key == keys.end() || equals == std::string_view::npos)
      return fail(
          "'{}': expected nth=N, times=N, return=VALUE, flip=xN:BIT, flip=[ADDRESS]:BIT or "
          "one of {}",
          item, deed_names());
    if (auto done = key->set(fault_, item.substr(equals + 1), names_); !done) return done;
    return key->is_action ? only_action(item) : Result<void>{};
  }

  Result<void> only_action(std::string_view item) {
    if (has_action_) return fail("'{}': a fault does one thing; give another --fail", item);
    has_action_ = true;
    return {};
  }

  Fault& fault_;
  const Names& names_;
  bool has_action_ = false;
};

}  // namespace

Fault fail_site(const Site& site, const Turn& turn, std::optional<std::int64_t> answer) {
  return {.name = site.name,
          .place = SitePlace{site.name},
          .turn = turn,
          .action = Answer{{answer.value_or(site.usual)}}};
}

bool has_conditions(const Fault& fault) {
  const Turn& turn = fault.turn;
  return !fault.require.empty() || !fault.reject.empty() || turn.space != 0 || turn.interval != 1 ||
         turn.probability != always;
}

Result<std::uint64_t> parse_times(std::string_view text) {
  if (text == "all") return every_time;
  const auto number = number_in(text);
  if (!number || *number == 0)
    return fail("times={}: expected how often it fails, 1 or more, or 'all'", text);
  return *number;
}

Result<Action> usual_action(const Place& place, const Names& names) {
  if (const auto* const at = std::get_if<SitePlace>(&place))
    return Answer{{find_site(names.sites, at->site)->usual}};
  return fail(
      "expected what happens there: return=VALUE, flip=xN:BIT, flip=[ADDRESS]:BIT or one "
      "of {}",
      deed_names());
}

Result<void> check_action(const Action& action, const Place& place) {
  const bool in_code = is_code(place);
  if (std::holds_alternative<FlipRegister>(action) || std::holds_alternative<FlipMemory>(action) ||
      action == Action{Deed::skip} || action == Action{Deed::repeat})
    if (!in_code)
      return fail("at an SMC or a device no instruction can be changed, only the answer");
  if (std::holds_alternative<MmioPlace>(place) && std::holds_alternative<Deed>(action))
    return fail("at a device there is nothing but the answer; end the run at an instruction");
  const auto* const answer = std::get_if<Answer>(&action);
  if (answer == nullptr || std::holds_alternative<SmcPlace>(place)) return {};
  if (answer->values.size() != 1) return fail("expected one value");
  return {};
}

Result<Fault> parse_fault(std::string_view text, const Names& names) {
  const std::string_view name = first_item(text);
  auto place = parse_place(name, names);
  if (!place) return std::unexpected(place.error());
  Fault fault{.name = std::string(name), .place = std::move(*place)};
  Items items(fault, names);
  if (auto taken = items.take(text.substr(name.size())); !taken)
    return std::unexpected(taken.error());
  if (items.has_action()) return fault;
  auto usual = usual_action(fault.place, names);
  if (!usual) return std::unexpected(usual.error());
  fault.action = std::move(*usual);
  return fault;
}

}  // namespace pkvmemu::fault
