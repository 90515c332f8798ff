// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/explorer.h"

#include <algorithm>
#include <utility>

#include "pkvm/event.h"
#include "support/fixed_text.h"

namespace pkvmemu::campaign {
namespace {

using pkvm::event::Kind;

}  // namespace

Explorer::Explorer(std::span<const fault::Site> sites,
                   const std::function<bool(const fault::Site&)>& wanted)
    : sites_(sites) {
  for (const fault::Site& site : sites)
    wanted_.push_back(wanted(site));
  state_.counts.resize(sites.size());
}

void Explorer::attach(machine::Machine& machine) {
  machine_ = &machine;
  machine.set_observer(this);
}

void Explorer::saw(const machine::Event& event) {
  const auto& record = event.record;
  if (!event.from_hyp && record.kind == Kind::module_begin)
    state_.loading = fixed_text(record.name);
  if (!event.from_hyp && record.kind == Kind::module_end) state_.loading.clear();
  if (!event.from_hyp && record.kind == Kind::call_begin) state_.in_call = true;
  if (!event.from_hyp && record.kind == Kind::call_end) state_.in_call = false;
  if (!event.from_hyp && record.kind == Kind::device_probe_begin) ++state_.probes;
  if (!event.from_hyp && record.kind == Kind::device_probe_end)
    probe_ended(static_cast<std::int64_t>(record.value[0]));
  if (event.from_hyp && record.kind == Kind::hyp_panic && !std::exchange(state_.panicked, true))
    machine_->request_stop();
  if (record.kind != Kind::image_placed || machine_ == nullptr) return;
  const std::uint64_t el = record.value[1];
  if (el >= bases_.size()) return;
  state_.placed[el] = true;
  // Each image is placed once: what a guest says after that costs nothing.
  if (bases_[el] != 0) return;
  bases_[el] = record.value[0];
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    if (sites_[i].el != el || !wanted_[i]) continue;
    for (const auto& place : sites_[i].places) {
      const Va address{bases_[el] + place.offset};
      if (places_.try_emplace(address, i, place.reg).second) machine_->watch_code(address);
    }
  }
}

void Explorer::run() {
  stopped_at_.reset();
  exit_ = machine_->run_until({.instructions = limit_, .place = {}});
  // The host is resumed to report the panic, and may panic the hypervisor again by it, for ever.
  constexpr std::uint64_t enough_for_a_report = 200'000;
  if (exit_.reason == machine::ExitReason::stopped && state_.panicked)
    exit_ = machine_->run_until(
        {.instructions = machine_->instructions() + enough_for_a_report, .place = {}});
  if (exit_.reason == machine::ExitReason::breakpoint && !stopped_at_)
    exit_.reason = machine::ExitReason::budget_spent;
}

std::optional<Occurrence> Explorer::next() {
  stops_ = true;
  run();
  stops_ = false;
  return stopped_at_;
}

machine::Exit Explorer::finish() {
  stops_ = false;
  run();
  return exit_;
}

void Explorer::fail(const Occurrence& occurrence, std::int64_t answer, Lasting lasting) {
  const auto place = places_.find(Va{machine_->pc()});
  if (place != places_.end()) this->answer(place->second, answer);
  if (lasting == Lasting::from_now_on) armed_[occurrence.site] = answer;
}

/// What failed within it is the outer one's then, if there is one, or the load's.
void Explorer::probe_ended(std::int64_t answer) {
  if (state_.probes == 0) return;
  for (Failed& failed : state_.failed) {
    if (failed.probes != state_.probes) continue;
    if (answer != 0) failed.probe_failed = true;
    --failed.probes;
  }
  --state_.probes;
}

void Explorer::answer(const Watched& watched, std::int64_t answer) {
  machine_->set_x(watched.reg, static_cast<std::uint64_t>(answer));
  const auto known = std::ranges::find_if(state_.failed, [&](const Failed& failed) {
    return failed.site == watched.site && failed.module == state_.loading &&
           failed.in_call == state_.in_call && failed.probes == state_.probes &&
           !failed.probe_failed;
  });
  if (known != state_.failed.end())
    known->again = true;
  else
    state_.failed.push_back({.site = watched.site,
                             .module = state_.loading,
                             .in_call = state_.in_call,
                             .probes = state_.probes});
}

void Explorer::code_reached(Va address) {
  const auto found = places_.find(address);
  if (found == places_.end() || !state_.placed[sites_[found->second.site].el]) return;
  const std::uint64_t nth = ++state_.counts[found->second.site];
  if (const auto armed = armed_.find(found->second.site); armed != armed_.end())
    answer(found->second, armed->second);
  if (!stops_) return;
  stopped_at_ = Occurrence{.site = found->second.site, .nth = nth};
  machine_->stop_here();
}

}  // namespace pkvmemu::campaign
