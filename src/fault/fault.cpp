// SPDX-License-Identifier: GPL-2.0-only
#include "fault/fault.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "pkvm/errno.h"

namespace pkvmemu::fault {
namespace {

constexpr std::int64_t largest_errno = 4095;  // Linux: MAX_ERRNO

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  Number value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string names_alike(std::string_view name, std::span<const Site> sites) {
  const std::string_view group = name.substr(0, name.find('.'));
  std::string names;
  for (const Site& site : sites) {
    const bool alike = site.name.contains(name) || site.name.starts_with(group);
    if (!alike || name.empty()) continue;
    names += (names.empty() ? "; there are " : ", ") + site.name;
  }
  return names;
}

Result<void> set_nth(Fault& fault, std::string_view value, const Site& /*site*/) {
  const auto number = number_in<std::uint64_t>(value);
  if (!number || *number == 0)
    return fail("nth={}: expected which time it fails, 1 or more", value);
  fault.nth = *number;
  return {};
}

Result<void> set_times(Fault& fault, std::string_view value, const Site& /*site*/) {
  const auto number = value == "all" ? every_time : number_in<std::uint64_t>(value);
  if (!number || *number == 0)
    return fail("times={}: expected how often it fails, 1 or more, or 'all'", value);
  fault.times = *number;
  return {};
}

Result<void> set_return(Fault& fault, std::string_view value, const Site& site) {
  if (site.answer == pkvm::fault::Answer::nothing)
    return fail("return={}: {} answers with nothing, not with an error number", value, site.name);
  const auto* const row = std::ranges::find(pkvm::errno_rows, value, &pkvm::ErrnoRow::name);
  const auto number = row != pkvm::errno_rows.end() ? static_cast<std::int64_t>(row->number)
                                                    : number_in<std::int64_t>(value);
  if (!number || *number == 0 || *number < -largest_errno || *number > largest_errno)
    return fail("return={}: expected an error number, like ENOMEM or -12", value);
  fault.answer = *number < 0 ? *number : -*number;
  return {};
}

struct Key {
  std::string_view name;
  Result<void> (*set)(Fault& fault, std::string_view value, const Site& site);
};
constexpr std::array keys = {Key{"nth", set_nth}, Key{"times", set_times},
                             Key{"return", set_return}};

Result<void> set(Fault& fault, std::string_view item, const Site& site) {
  const std::size_t equals = item.find('=');
  const std::string_view name = item.substr(0, equals);
  const auto* const key = std::ranges::find(keys, name, &Key::name);
  if (key == keys.end() || equals == std::string_view::npos)
    return fail("'{}': expected nth=N, times=N or return=ERROR", item);
  return key->set(fault, item.substr(equals + 1), site);
}

}  // namespace

Result<Fault> parse_fault(std::string_view text, std::span<const Site> sites) {
  const std::string_view name = text.substr(0, text.find(':'));
  const Site* site = find_site(sites, name);
  if (site == nullptr)
    return fail("no fault site '{}'{}; `pkvm-emu sites` lists them all", name,
                names_alike(name, sites));
  Fault fault{.site = site->name, .answer = site->usual};
  for (std::string_view rest = text.substr(name.size()); !rest.empty();) {
    rest.remove_prefix(1);  // the colon
    const std::string_view item = rest.substr(0, rest.find(':'));
    if (auto done = set(fault, item, *site); !done) return std::unexpected(done.error());
    rest.remove_prefix(item.size());
  }
  return fault;
}

}  // namespace pkvmemu::fault
