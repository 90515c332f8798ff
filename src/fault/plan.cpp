// SPDX-License-Identifier: GPL-2.0-only
#include "fault/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pkvm/platform.h"
#include "support/number.h"

namespace pkvmemu::fault {
namespace {

constexpr std::size_t most_answers = 4;  // x0 to x3 (SMCCC 2.6)

std::unexpected<Error> at(const std::string& where, const Error& error) {
  return fail("{}: {}", where, error.message);
}

Result<void> check_device(std::uint64_t address, const Names& names) {
  namespace platform = pkvm::platform;
  const DeviceWindow uart{
      .name = "PL011", .base = Pa{platform::pl011_base}, .size = platform::pl011_size};
  std::string known;
  const auto add = [&](const DeviceWindow& device) {
    known += fmt::format("{}{} at {:#x} to {:#x}", known.empty() ? "" : ", ", device.name,
                         device.base.value, (device.base + device.size).value);
    return device.contains(address);
  };
  if (add(uart)) return {};
  for (const DeviceWindow& device : names.devices)
    if (add(device)) return {};
  return fail("no device answers at {:#x}; there is a {} (--mmio makes others)", address, known);
}

Result<Place> place_of(const PlannedFault& planned, const Names& names) {
  switch (planned.at) {
    case PlannedFault::At::site:
      return parse_site(planned.place, names);
    case PlannedFault::At::name:
      return parse_place(planned.place, names);
    case PlannedFault::At::smc:
      return SmcPlace{planned.number};
    case PlannedFault::At::mmio:
      break;
  }
  if (const auto good = check_device(planned.number, names); !good)
    return std::unexpected(good.error());
  return MmioPlace{Pa{planned.number}};
}

std::string name_of(const PlannedFault& planned) {
  switch (planned.at) {
    case PlannedFault::At::site:
    case PlannedFault::At::name:
      return planned.place;
    case PlannedFault::At::smc:
      return fmt::format("smc {:#x}", planned.number);
    case PlannedFault::At::mmio:
      break;
  }
  return fmt::format("mmio {:#x}", planned.number);
}

Result<Action> action_of(const PlannedFault& planned, const Place& place, const Names& names) {
  if (planned.deed) return *planned.deed;
  if (planned.flip) return parse_flip(*planned.flip, names);
  if (planned.answer.empty()) return usual_action(place, names);
  Answer answer{.values = {}};
  for (const std::string& text : planned.answer) {
    auto one = parse_answer(text, place, names);
    if (!one) return std::unexpected(one.error());
    answer.values.push_back(one->values.front());
  }
  if (answer.values.size() > most_answers)
    return fail("{} answers, expected at most {} (x0 to x3)", answer.values.size(), most_answers);
  return answer;
}

/// "el1:0x1000-0x2000", or a function.
Result<Range> range_of(const std::string& text, const Names& names) {
  const std::size_t dash = text.find('-');
  if (dash != std::string::npos && text.starts_with("el")) {
    auto start = parse_place(text.substr(0, dash), names);
    const auto end = number_in(std::string_view(text).substr(dash + 1));
    const auto* const address = start ? std::get_if<AddressPlace>(&*start) : nullptr;
    if (address == nullptr || !end || *end <= address->address.value)
      return fail("'{}': expected a function or a range like el2:0x1000-0x2000", text);
    return Range{.start = *address, .size = *end - address->address.value, .name = text};
  }
  auto symbol = names.symbols.find(text);
  if (!symbol) return std::unexpected(symbol.error());
  if (symbol->size == 0)
    return fail("how long {} is nobody says: give a range like el2:0x1000-0x2000", text);
  const std::uint64_t size = symbol->size;
  return Range{.start = std::move(*symbol), .size = size, .name = text};
}

Result<std::vector<Range>> ranges_of(const std::vector<std::string>& texts, const Names& names) {
  std::vector<Range> ranges;
  for (const std::string& text : texts) {
    auto range = range_of(text, names);
    if (!range) return std::unexpected(range.error());
    ranges.push_back(std::move(*range));
  }
  return ranges;
}

}  // namespace

bool Plan::is_random() const {
  return std::ranges::any_of(
      faults, [](const PlannedFault& fault) { return fault.turn.probability < always; });
}

Result<Fault> resolve(const PlannedFault& planned, const Names& names) {
  auto place = place_of(planned, names);
  if (!place) return at(planned.where, place.error());
  auto action = action_of(planned, *place, names);
  if (!action) return at(planned.where, action.error());
  if (const auto good = check_action(*action, *place); !good)
    return at(planned.where, good.error());
  auto require = ranges_of(planned.require, names);
  if (!require) return at(planned.where, require.error());
  auto reject = ranges_of(planned.reject, names);
  if (!reject) return at(planned.where, reject.error());
  return Fault{.name = name_of(planned),
               .place = std::move(*place),
               .turn = planned.turn,
               .action = std::move(*action),
               .require = std::move(*require),
               .reject = std::move(*reject)};
}

}  // namespace pkvmemu::fault
