// SPDX-License-Identifier: GPL-2.0-only
#include "fault/injector.h"

#include <algorithm>
#include <utility>

#include "pkvm/event.h"

namespace pkvmemu::fault {

Injector::Injector(std::span<const Site> sites, std::vector<Fault> plan, Watching watching)
    : sites_(sites), watching_(watching), counts_(sites.size()) {
  for (Fault& fault : plan)
    happened_.push_back({.fault = std::move(fault)});
}

void Injector::attach(machine::Machine& machine) {
  machine_ = &machine;
  machine.set_observer(this);
}

bool Injector::is_planned(const Site& site) const {
  return std::ranges::any_of(happened_,
                             [&](const Happened& one) { return one.fault.site == site.name; });
}

void Injector::saw(const machine::Event& event) {
  if (event.record.kind != pkvm::event::Kind::image_placed || machine_ == nullptr) return;
  const Va base{event.record.value[0]};
  const std::uint64_t el = event.record.value[1];
  // Each image is placed once: what a guest says after that costs nothing.
  if (el >= placed_.size() || placed_[el]) return;
  placed_[el] = true;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const Site& site = sites_[i];
    if (site.el != el || (watching_ == Watching::planned && !is_planned(site))) continue;
    for (const Place& place : site.places) {
      const Va address = base + place.offset;
      if (places_.try_emplace(address, i, place.reg).second) machine_->watch_code(address);
    }
  }
}

void Injector::code_reached(Va address) {
  const auto found = places_.find(address);
  if (found == places_.end()) return;
  const auto& [index, reg] = found->second;
  ++counts_[index];
  for (Happened& one : happened_) {
    if (one.fault.site != sites_[index].name) continue;
    if (!one.fault.hits(++one.reached)) continue;
    ++one.fired;
    machine_->set_x(reg, static_cast<std::uint64_t>(one.fault.answer));
  }
}

void Injector::add(Fault fault) {
  happened_.push_back({.fault = std::move(fault)});
}

void Injector::restore(State state) {
  happened_ = std::move(state.happened);
  counts_ = std::move(state.counts);
}

}  // namespace pkvmemu::fault
