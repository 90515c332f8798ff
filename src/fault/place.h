// SPDX-License-Identifier: GPL-2.0-only
// Where a fault happens.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "fault/sites.h"
#include "support/address.h"
#include "support/result.h"
#include "symbols/symbol_table.h"

namespace pkvmemu::fault {

/// A step of the firmware that says of itself that it may fail (sites.h).
struct SitePlace {
  std::string site;
  bool operator==(const SitePlace&) const = default;
};
/// An instruction of a module or of the firmware, by its name.
struct SymbolPlace {
  symbols::Spot spot;
  bool operator==(const SymbolPlace&) const = default;
};
/// An instruction by its address.
struct AddressPlace {
  unsigned el = 1;
  Va address;
  bool operator==(const AddressPlace&) const = default;
};
/// EL3 is called by SMC, with this in x0.
struct SmcPlace {
  std::uint64_t function = 0;
  bool operator==(const SmcPlace&) const = default;
};
/// A device register is read.
struct MmioPlace {
  Pa address;
  bool operator==(const MmioPlace&) const = default;
};

using Place = std::variant<SitePlace, SymbolPlace, AddressPlace, SmcPlace, MmioPlace>;

/// Where a device answers whose reads can be changed.
struct DeviceWindow {
  std::string name;
  Pa base;
  std::uint64_t size = 0;
  [[nodiscard]] bool contains(std::uint64_t address) const {
    return address >= base.value && address - base.value < size;
  }
};

/// What there is to fail.
struct Names {
  std::span<const Site> sites;
  const symbols::SymbolTable& symbols;
  std::span<const DeviceWindow> devices{};  ///< besides the PL011, which is always there
};

/// A site, "el1:ADDRESS", "el2:ADDRESS", or a symbol as SymbolTable::find() takes it. The message
/// of an unknown name names those that are alike.
Result<Place> parse_place(std::string_view text, const Names& names);

/// A site and nothing else.
Result<Place> parse_site(std::string_view text, const Names& names);

/// Stands in memory: an instruction, not a call to EL3 or a device.
bool is_code(const Place& place);

}  // namespace pkvmemu::fault
