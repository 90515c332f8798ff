// SPDX-License-Identifier: GPL-2.0-only
// Where the parts of the guest lie: what the firmware and the kernel report of it
// (pkvm::event::Kind::image_placed, module_el1_placed, module_el2_placed), so that a place in a
// file becomes an address and the other way round. What a guest says may be wrong, and is bounded.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "machine/machine.h"
#include "support/address.h"
#include "symbols/symbol_table.h"

namespace pkvmemu::symbols {

class Placement {
 public:
  /// `table` outlives this.
  explicit Placement(const SymbolTable& table) : table_(table) {}

  /// Of the machine's events, in order: whether something has its place now, or another one.
  bool saw(const machine::Event& event);

  [[nodiscard]] std::optional<Va> address_of(const Spot& spot) const;
  [[nodiscard]] std::optional<Spot> spot_at(Va address, unsigned el) const;
  /// "name+0x10 [image]"; the number where nothing is known of it.
  [[nodiscard]] std::string name_of(Va address, unsigned el) const;
  [[nodiscard]] const SymbolTable& table() const { return table_; }

 private:
  void place(Part part, Va base);
  void place_el1(const pkvm::event::Record& record);
  void place_el2(const pkvm::event::Record& record);

  const SymbolTable& table_;
  std::map<Part, Va> bases_;
  /// Of the sections of modules' EL2 halves, where the kernel sees them.
  std::map<Part, Va> kernel_bases_;
};

}  // namespace pkvmemu::symbols
