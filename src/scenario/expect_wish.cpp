// SPDX-License-Identifier: GPL-2.0-only
// What is expected of a call, a touch, a guest, a late load or attacks, beside the wish itself.
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <utility>

#include "scenario/expect_parts.h"

namespace pkvmemu::scenario {
namespace {

using observe::CallReport;
using observe::GuestReport;
using observe::TouchReport;

constexpr auto call_states = std::to_array<std::string_view>(
    {"good", "failed", "refused", "not_made", "unfinished", "ended"});
constexpr auto touch_states = std::to_array<std::string_view>({"done", "aborted", "unfinished"});

struct Fields {
  Gathered out;
  WishResult wish;
  [[nodiscard]] std::string subject(std::string_view part) const {
    return fmt::format("{}.{}", out.subject, part);
  }
};

Look at_call(std::size_t index, std::function<std::string(const CallReport&)> look) {
  return [index, look = std::move(look)](const Observed& observed) -> std::string {
    const auto& calls = observed.report.calls;
    return index < calls.size() ? look(calls[index]) : "the run knows nothing of this call";
  };
}

Look at_touch(std::size_t index, std::function<std::string(const TouchReport&)> look) {
  return [index, look = std::move(look)](const Observed& observed) -> std::string {
    const auto& touches = observed.report.touches;
    return index < touches.size() ? look(touches[index]) : "the run knows nothing of this touch";
  };
}

std::string name_of_state(const CallReport& call) {
  return std::string(call_states.at(static_cast<std::size_t>(call.state)));
}

std::string name_of_state(const TouchReport& touch) {
  return std::string(touch_states.at(static_cast<std::size_t>(touch.state)));
}

Parsed<std::string> one_of(const YAML::Node& node, std::span<const std::string_view> names) {
  const auto text = read_text(node);
  if (!text || !has(names, *text))
    return problem(node, "expected one of: {}", fmt::join(names, ", "));
  return *text;
}

/// x8 to x17 are told of an SMC.
template <std::size_t N>
std::string register_text(const CallReport& call) {
  if (!call.result) return name_of_state(call);
  if (N < call.result->size()) return number_text((*call.result)[N]);
  constexpr std::size_t first_more = std::tuple_size_v<decltype(call.result)::value_type>;
  const std::size_t at = N - first_more;
  return at < call.more.size() ? number_text(call.more[at]) : std::string("not told");
}

template <std::size_t N>
Parsed<void> take_register(const YAML::Node& node, Fields& fields) {
  const auto number = read_number(node);
  if (!number) return std::unexpected(number.error());
  fields.out.list.push_back(is_text(
      fields.subject(fmt::format("x{}", N)), mark_of(node), number_text(*number),
      at_call(fields.wish.index, [](const CallReport& call) { return register_text<N>(call); })));
  return {};
}

Parsed<void> take_call_state(const YAML::Node& node, Fields& fields) {
  const auto state = one_of(node, call_states);
  if (!state) return std::unexpected(state.error());
  fields.out.list.push_back(is_text(
      fields.subject("state"), mark_of(node), *state,
      at_call(fields.wish.index, [](const CallReport& call) { return name_of_state(call); })));
  return {};
}

Parsed<void> take_reason(const YAML::Node& node, Fields& fields) {
  auto text = read_text(node);
  if (!text) return std::unexpected(text.error());
  fields.out.list.push_back(has_part(fields.subject("reason"), mark_of(node), std::move(*text),
                                     at_call(fields.wish.index, [](const CallReport& call) {
                                       return call.reason.empty() ? name_of_state(call)
                                                                  : call.reason;
                                     })));
  return {};
}

Parsed<void> take_nothing(const YAML::Node& /*node*/, Fields& /*fields*/) {
  return {};  // `in:` is read by whom it is about
}

constexpr std::array call_keys = {
    Key<Fields>{"state", take_call_state}, Key<Fields>{"reason", take_reason},
    Key<Fields>{"x0", take_register<0>},   Key<Fields>{"x1", take_register<1>},
    Key<Fields>{"x2", take_register<2>},   Key<Fields>{"x3", take_register<3>},
    Key<Fields>{"x4", take_register<4>},   Key<Fields>{"x5", take_register<5>},
    Key<Fields>{"x6", take_register<6>},   Key<Fields>{"x7", take_register<7>},
    Key<Fields>{"x8", take_register<8>},   Key<Fields>{"x9", take_register<9>},
    Key<Fields>{"x10", take_register<10>}, Key<Fields>{"x11", take_register<11>},
    Key<Fields>{"x12", take_register<12>}, Key<Fields>{"x13", take_register<13>},
    Key<Fields>{"x14", take_register<14>}, Key<Fields>{"x15", take_register<15>},
    Key<Fields>{"x16", take_register<16>}, Key<Fields>{"x17", take_register<17>},
    Key<Fields>{"in", take_nothing}};

Parsed<void> take_touch_state(const YAML::Node& node, Fields& fields) {
  const auto state = one_of(node, touch_states);
  if (!state) return std::unexpected(state.error());
  fields.out.list.push_back(is_text(
      fields.subject("state"), mark_of(node), *state,
      at_touch(fields.wish.index, [](const TouchReport& touch) { return name_of_state(touch); })));
  return {};
}

/// A number of a touch that came to `state`.
Parsed<void> take_touch_number(const YAML::Node& node, Fields& fields, std::string_view key,
                               observe::TouchState state, std::uint64_t TouchReport::* number_of) {
  const auto number = read_number(node);
  if (!number) return std::unexpected(number.error());
  fields.out.list.push_back(
      is_text(fields.subject(key), mark_of(node), number_text(*number),
              at_touch(fields.wish.index, [state, number_of](const TouchReport& touch) {
                return touch.state == state ? number_text(touch.*number_of) : name_of_state(touch);
              })));
  return {};
}

constexpr std::array touch_keys = {
    Key<Fields>{"state", take_touch_state},
    Key<Fields>{"value",
                [](const YAML::Node& node, Fields& fields) {
                  return take_touch_number(node, fields, "value", observe::TouchState::done,
                                           &TouchReport::value);
                }},
    Key<Fields>{"esr",
                [](const YAML::Node& node, Fields& fields) {
                  return take_touch_number(node, fields, "esr", observe::TouchState::aborted,
                                           &TouchReport::esr);
                }},
    Key<Fields>{"far",
                [](const YAML::Node& node, Fields& fields) {
                  return take_touch_number(node, fields, "far", observe::TouchState::aborted,
                                           &TouchReport::far);
                }},
    Key<Fields>{"in", take_nothing}};

/// "84 as specified", or the first that was not.
std::string attacks_text(const Observed& observed, const std::string& pattern) {
  std::size_t good = 0;
  for (const observe::AttackReport& attack : observed.report.attacks) {
    if (::fnmatch(pattern.c_str(), attack.name.c_str(), 0) != 0) continue;
    const bool fatal = attack.is_fatal && !attack.ended && observed.report.hyp_panic;
    if (!fatal && (!attack.ended || !attack.as_specified))
      return fmt::format("{}: {}", attack.name, attack.ended ? attack.wrong : "it did not end");
    ++good;
  }
  return good == 0 ? "no attack was made" : "as specified";
}

Parsed<void> add_attack(Fields& fields, const YAML::Node& node) {
  const std::string expected = node.IsScalar() ? node.Scalar() : "";
  if (expected != "as specified") return problem(node, "expected: as specified");
  fields.out.list.push_back(is_text(
      fields.out.subject, mark_of(node), expected,
      [pattern = fields.wish.target](const Observed& run) { return attacks_text(run, pattern); }));
  return {};
}

Parsed<void> add_guest_at(Fields& fields, const YAML::Node& node) {
  const FindGuest find = [index = fields.wish.index](const Observed& run) -> const GuestReport* {
    return index < run.report.guests.size() ? &run.report.guests[index] : nullptr;
  };
  return add_guest(fields.out, find, node);
}

Parsed<void> read_one(Fields& fields, const YAML::Node& node) {
  switch (fields.wish.kind) {
    case WishResult::Kind::call:
      if (!node.IsMap()) return take_call_state(node, fields);
      return read_map(node, "a call's expectations", call_keys, fields);
    case WishResult::Kind::touch:
      if (!node.IsMap()) return take_touch_state(node, fields);
      return read_map(node, "a touch's expectations", touch_keys, fields);
    case WishResult::Kind::guest:
      return add_guest_at(fields, node);
    case WishResult::Kind::late:
      return add_module(fields.out, fields.wish.target, node);
    case WishResult::Kind::attack:
      return add_attack(fields, node);
  }
  std::unreachable();
}

}  // namespace

Parsed<Expectations> read_wish_expectations(const YAML::Node& node, const WishResult& wish,
                                            pkvm::Generation generation) {
  const auto part = part_of_generation(node, generation);
  if (!part) return std::unexpected(part.error());
  Fields general{.out = {.subject = wish.subject}, .wish = wish};
  if (auto read = read_one(general, node); !read) return std::unexpected(read.error());
  Fields special{.out = {.subject = wish.subject}, .wish = wish};
  if (part->IsDefined())
    if (auto read = read_one(special, *part); !read) return std::unexpected(read.error());
  return replaced(std::move(general.out.list), std::move(special.out.list));
}

}  // namespace pkvmemu::scenario
