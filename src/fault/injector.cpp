// SPDX-License-Identifier: GPL-2.0-only
#include "fault/injector.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pkvm/event.h"
#include "support/bits.h"
#include "symbols/call_path.h"

namespace pkvmemu::fault {
namespace {

constexpr std::uint64_t instruction_size = 4;
constexpr unsigned link_register = 30;

}  // namespace

Injector::Injector(std::span<const Site> sites, const symbols::SymbolTable& table,
                   std::vector<Fault> plan, Watching watching, std::uint64_t seed)
    : sites_(sites), placement_(table), watching_(watching), random_(seed), counts_(sites.size()) {
  for (Fault& fault : plan) {
    progress_.push_back({.turn = TurnCount(fault.turn)});
    happened_.push_back({.fault = std::move(fault)});
  }
}

void Injector::attach(machine::Machine& machine) {
  machine_ = &machine;
  machine.set_observer(this);
  place_faults();
}

bool Injector::is_planned(const Site& site) const {
  return std::ranges::any_of(happened_, [&](const Happened& one) {
    return one.fault.place == Place{SitePlace{site.name}};
  });
}

void Injector::saw(const machine::Event& event) {
  if (machine_ == nullptr) return;
  if (event.record.kind == pkvm::event::Kind::image_placed) place_sites(event);
  if (placement_.saw(event)) place_faults();
}

void Injector::place_sites(const machine::Event& event) {
  const Va base{event.record.value[0]};
  const std::uint64_t el = event.record.value[1];
  // Each image is placed once: what a guest says after that costs nothing.
  if (el >= placed_.size() || placed_[el]) return;
  placed_[el] = true;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const Site& site = sites_[i];
    if (site.el != el || (watching_ == Watching::planned && !is_planned(site))) continue;
    for (const SiteInstruction& place : site.places)
      watched_at(base + place.offset).site = {.site = i, .reg = place.reg};
  }
}

/// Those whose place is known by now.
void Injector::place_faults() {
  for (std::size_t i = 0; i < happened_.size(); ++i) {
    const auto place = address_of(happened_[i].fault.place);
    if (!place || progress_[i].watched == place->address) continue;
    progress_[i].watched = place->address;
    watch(place->address, i, place->el);
  }
}

std::optional<AddressPlace> Injector::address_of(const Place& place) const {
  if (const auto* const address = std::get_if<AddressPlace>(&place)) return *address;
  const auto* const symbol = std::get_if<SymbolPlace>(&place);
  if (symbol == nullptr) return std::nullopt;
  const auto address = placement_.address_of(symbol->spot);
  if (!address) return std::nullopt;
  return AddressPlace{.el = symbol->spot.part.el, .address = *address};
}

void Injector::watch(Va address, std::size_t fault, unsigned el) {
  watched_at(address).faults.push_back({.fault = fault, .el = el});
  if (happened_[fault].fault.action == Action{Deed::repeat})
    watched_at(address + instruction_size).behind.push_back({.fault = fault, .el = el});
}

Injector::Watched& Injector::watched_at(Va address) {
  const auto [place, is_new] = places_.try_emplace(address);
  if (is_new) machine_->watch_code(address);
  return place->second;
}

void Injector::code_reached(Va address) {
  const auto found = places_.find(address);
  if (found == places_.end()) return;
  const Watched& there = found->second;
  for (const Behind& behind : there.behind)
    if (behind_reached(behind)) return;  // to what is before it; then it comes here again
  if (there.site) site_reached(*there.site);
  for (const FaultThere& fault : there.faults)
    fault_reached(fault);
}

void Injector::site_reached(const SiteThere& there) {
  ++counts_[there.site];
  const Place place = SitePlace{sites_[there.site].name};
  for (std::size_t i = 0; i < happened_.size(); ++i)
    if (happened_[i].fault.place == place && takes(i)) act(i, there.reg);
}

void Injector::fault_reached(const FaultThere& there) {
  if (machine_->el() != there.el) return;
  if (std::exchange(progress_[there.fault].again, false)) return;
  if (takes(there.fault)) act(there.fault, std::nullopt);
}

bool Injector::behind_reached(const Behind& behind) {
  Progress& progress = progress_[behind.fault];
  if (!progress.again_armed || machine_->el() != behind.el) return false;
  progress.again_armed = false;
  progress.again = true;
  machine_->set_pc(progress.watched->value);
  return true;
}

bool Injector::takes(std::size_t fault) {
  Happened& one = happened_[fault];
  ++one.reached;
  if (!comes_by(one.fault) || !progress_[fault].turn.takes_next(random_)) return false;
  if (one.fired++ == 0) note_place(one);
  return true;
}

bool Injector::comes_by(const Fault& fault) const {
  if (fault.require.empty() && fault.reject.empty()) return true;
  const std::vector<Va> path = symbols::call_path(*machine_);
  const auto through = [&](const Range& range) {
    return std::ranges::any_of(path, [&](Va address) { return is_in(address, range); });
  };
  return std::ranges::all_of(fault.require, through) && std::ranges::none_of(fault.reject, through);
}

bool Injector::is_in(Va address, const Range& range) const {
  std::optional<AddressPlace> start;
  if (const auto* const symbol = std::get_if<symbols::Symbol>(&range.start))
    start = address_of(SymbolPlace{symbol->spot});
  else
    start = std::get<AddressPlace>(range.start);
  if (!start || start->el != machine_->el()) return false;
  // A return address lies behind the call, which may be its function's last instruction.
  return address >= start->address && address - start->address <= range.size;
}

void Injector::note_place(Happened& one) const {
  const std::uint64_t pc = machine_->pc();
  one.where = fmt::format("el{}:{:#x}", machine_->el(), pc);
  const std::string name = placement_.name_of(Va{pc}, machine_->el());
  if (!name.starts_with("0x")) one.where += " " + name;
}

void Injector::act(std::size_t fault, std::optional<unsigned> site_register) {
  Happened& one = happened_[fault];
  const Action& action = one.fault.action;
  if (const auto* const answer = std::get_if<Answer>(&action)) {
    machine_->set_x(site_register.value_or(0), static_cast<std::uint64_t>(answer->values[0]));
    if (!site_register) machine_->set_pc(machine_->x(link_register));
  } else if (const auto* const bit_of = std::get_if<FlipRegister>(&action)) {
    machine_->set_x(bit_of->reg, machine_->x(bit_of->reg) ^ bit(bit_of->bit));
  } else if (const auto* const memory = std::get_if<FlipMemory>(&action)) {
    if (const auto done = flip(*memory); !done) one.note = done.error().message;
  } else {
    const Deed deed = std::get<Deed>(action);
    if (deed == Deed::skip) machine_->set_pc(machine_->pc() + instruction_size);
    if (deed == Deed::repeat) progress_[fault].again_armed = true;
    end(deed, one);
  }
}

Result<void> Injector::flip(const FlipMemory& flip) {
  struct Base {
    const Injector& self;
    std::optional<Va> operator()(Va va) const { return va; }
    std::optional<Va> operator()(const symbols::Spot& spot) const {
      return self.placement_.address_of(spot);
    }
    std::optional<Va> operator()(const FlipMemory::Register& place) const {
      return Va{self.machine_->x(place.reg) + place.offset};
    }
  };
  constexpr unsigned bits_per_byte = 8;
  const auto base = std::visit(Base{*this}, flip.base);
  if (!base) return fail("{} has no address yet", flip.name);
  const Va va = *base + flip.bit / bits_per_byte;
  const auto pa = machine_->physical(va);
  if (!pa) return fail("{:#x} is not mapped at EL{}", va.value, machine_->el());
  const auto bytes = machine_->memory(*pa, 1);
  if (!bytes) return std::unexpected(bytes.error());
  const std::byte changed = bytes->front() ^ (std::byte{1} << (flip.bit % bits_per_byte));
  return machine_->write_memory(*pa, {&changed, 1});
}

void Injector::end(Deed deed, const Happened& one) {
  if (deed == Deed::power_cut)
    machine_->stop_here(machine::ExitReason::power_cut, "at " + one.fault.name);
  if (deed == Deed::time_out)
    machine_->stop_here(machine::ExitReason::budget_spent, "by the fault at " + one.fault.name);
}

bool Injector::secure_call() {
  bool answered = false;
  const Place place = SmcPlace{machine_->x(0)};
  for (std::size_t i = 0; i < happened_.size(); ++i) {
    Happened& one = happened_[i];
    if (one.fault.place != place || !takes(i)) continue;
    if (const auto* const answer = std::get_if<Answer>(&one.fault.action)) {
      for (unsigned reg = 0; reg < answer->values.size(); ++reg)
        machine_->set_x(reg, static_cast<std::uint64_t>(answer->values[reg]));
      answered = true;
    } else {
      end(std::get<Deed>(one.fault.action), one);
      answered = true;
    }
  }
  return answered;
}

std::uint64_t Injector::device_read(Pa address, std::uint64_t value) {
  const Place place = MmioPlace{address};
  for (std::size_t i = 0; i < happened_.size(); ++i)
    if (happened_[i].fault.place == place && takes(i))
      value = static_cast<std::uint64_t>(std::get<Answer>(happened_[i].fault.action).values[0]);
  return value;
}

void Injector::add(Fault fault) {
  progress_.push_back({.turn = TurnCount(fault.turn)});
  happened_.push_back({.fault = std::move(fault)});
  place_faults();
}

/// Code stays watched; what is to happen there is found anew.
void Injector::restore(State state) {
  happened_ = std::move(state.happened);
  progress_ = std::move(state.progress);
  counts_ = std::move(state.counts);
  random_ = state.random;
  for (auto& [address, there] : places_) {
    there.faults.clear();
    there.behind.clear();
  }
  for (Progress& progress : progress_)
    progress.watched.reset();
  place_faults();
}

}  // namespace pkvmemu::fault
