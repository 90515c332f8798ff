// SPDX-License-Identifier: GPL-2.0-only
#include "symbols/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pkvm/event.h"

namespace pkvmemu::symbols {
namespace {

using pkvm::event::Kind;
using pkvm::event::Record;

/// As the kernel compares names of modules.
std::string module_name(const Record& record) {
  std::string name(record.name);
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace

bool Placement::saw(const machine::Event& event) {
  const Record& record = event.record;
  switch (record.kind) {
    case Kind::image_placed:
      place({.image = std::string(record.value[1] == 2 ? hyp_image : host_image),
             .el = record.value[1] == 2 ? 2U : 1U},
            Va{record.value[0]});
      return true;
    case Kind::module_el1_placed:
      place_el1(record);
      return true;
    case Kind::module_el2_placed:
      place_el2(record);
      return true;
    default:
      return false;
  }
}

/// Nothing is kept of what has no names: so a guest cannot fill our memory.
void Placement::place(Part part, Va base) {
  if (table_.contains({.part = part})) bases_.insert_or_assign(std::move(part), base);
}

void Placement::place_el1(const Record& record) {
  for (const std::uint64_t value : record.value) {
    if (value == 0) return;
    const pkvm::event::SectionPlace placed = pkvm::event::unpack_section(value);
    Part part{.image = module_name(record), .el = 1, .section = placed.section};
    place(part, Va{placed.address});
    part.el = 2;
    if (table_.contains({.part = part})) kernel_bases_.insert_or_assign(part, Va{placed.address});
  }
}

/// The kernel's view of the sections and EL2's differ by a constant, which .hyp.text shows.
void Placement::place_el2(const Record& record) {
  const std::string name = module_name(record);
  const Va kernel_text{record.value[3]};
  const Va hyp_text{record.value[2]};
  for (const auto& [part, kernel] : kernel_bases_)
    if (part.image == name) place(part, hyp_text + (kernel - kernel_text));
}

std::optional<Va> Placement::address_of(const Spot& spot) const {
  const auto base = bases_.find(spot.part);
  if (base == bases_.end()) return std::nullopt;
  return base->second + spot.offset;
}

std::optional<Spot> Placement::spot_at(Va address, unsigned el) const {
  for (const auto& [part, base] : bases_) {
    if (part.el != el || address < base) continue;
    Spot spot{.part = part, .offset = address - base};
    if (table_.contains(spot)) return spot;
  }
  return std::nullopt;
}

std::string Placement::name_of(Va address, unsigned el) const {
  const std::optional<Spot> spot = spot_at(address, el);
  return spot ? table_.name_of(*spot) : fmt::format("{:#x}", address.value);
}

}  // namespace pkvmemu::symbols
