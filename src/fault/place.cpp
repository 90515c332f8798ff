// SPDX-License-Identifier: GPL-2.0-only
#include "fault/place.h"

#include <fmt/format.h>

#include <optional>

#include "support/number.h"

namespace pkvmemu::fault {
namespace {

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

std::optional<AddressPlace> address_in(std::string_view text) {
  for (const unsigned el : {1U, 2U}) {
    const std::string prefix = fmt::format("el{}:", el);
    if (!text.starts_with(prefix)) continue;
    if (const auto address = number_in(text.substr(prefix.size())))
      return AddressPlace{.el = el, .address = Va{*address}};
  }
  return std::nullopt;
}

}  // namespace

Result<Place> parse_place(std::string_view text, const Names& names) {
  constexpr std::uint64_t instruction_size = 4;
  if (auto site = parse_site(text, names)) return site;
  if (const auto address = address_in(text)) {
    if (address->address.value % instruction_size != 0)
      return fail("{}: no instruction begins there: it is no multiple of 4", text);
    return *address;
  }
  const auto symbol = names.symbols.find(text);
  if (symbol) return SymbolPlace{symbol->spot};
  // A dot is what sites have and functions rarely.
  if (!text.empty() && !text.contains('.'))
    return fail("{}; `pkvm-emu sites` lists the fault sites", symbol.error().message);
  return parse_site(text, names);
}

Result<Place> parse_site(std::string_view text, const Names& names) {
  if (find_site(names.sites, text) != nullptr) return SitePlace{std::string(text)};
  return fail("no fault site '{}'{}; `pkvm-emu sites` lists them all", text,
              names_alike(text, names.sites));
}

bool is_code(const Place& place) {
  return !std::holds_alternative<SmcPlace>(place) && !std::holds_alternative<MmioPlace>(place);
}

}  // namespace pkvmemu::fault
