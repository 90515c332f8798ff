// SPDX-License-Identifier: GPL-2.0-only
// The board's part in snapshots: who is asked to save what, and in which order things come back.
#include "machine/snapshot.h"

#include <algorithm>

#include "machine/board.h"

namespace pkvmemu::machine {
namespace {

constexpr std::string_view engine_gave_up =
    "the CPU engine gave up on guest code; this machine runs no more";

PageVersions::Page page_of(Pa pa) {
  return static_cast<PageVersions::Page>((pa - Pa{pkvm::platform::ram_base}) >> page_shift);
}
Pa address_of(PageVersions::Page page) {
  return Pa{pkvm::platform::ram_base} + (std::uint64_t{page} << page_shift);
}

}  // namespace

Result<SnapshotId> BoardMachine::take_snapshot() {
  if (!cpu_->is_usable()) return fail("{}", engine_gave_up);
  if (!versions_) {
    versions_.emplace(ram_.all());
    cpu_->watch_stores(this);
  }
  const SnapshotId id{versions_->add()};
  Saved& saved = snapshots_[id];
  saved.cpu = cpu_->save();
  saved.uart = uart_.save();
  if (event_port_) saved.event_port = event_port_->save();
  saved.world = world_.save();
  saved.console = console_;
  saved.events = events_;
  saved.call_in_progress = call_in_progress_;
  saved.secure_action = secure_action_;
  descends_from_ = id;
  return id;
}

Result<void> BoardMachine::restore(SnapshotId id) {
  const auto found = snapshots_.find(id);
  if (found == snapshots_.end()) return fail("this machine has no snapshot {}", id.value);
  if (!cpu_->is_usable()) return fail("{}", engine_gave_up);
  const Saved& saved = found->second;

  const std::vector<PageVersions::Page> changed = versions_->changed_since(id.value);
  for (const PageVersions::Page page : changed)
    cpu_->page_replaced(address_of(page));
  versions_->put_back(id.value, changed);
  cpu_->restore(*saved.cpu);
  uart_.restore(saved.uart);
  if (event_port_) event_port_->restore(saved.event_port);
  world_.restore(saved.world);
  // Both only grow, so what is a continuation of the snapshot begins with it.
  if (descends_from_ == id) {
    console_.resize(saved.console.size());
    events_.resize(saved.events.size());
  } else {
    console_ = saved.console;
    events_ = saved.events;
  }
  call_in_progress_ = saved.call_in_progress;
  secure_action_ = saved.secure_action;
  descends_from_ = id;
  return {};
}

void BoardMachine::drop(SnapshotId id) {
  if (snapshots_.erase(id) != 0) versions_->drop(id.value);
}

Result<SnapshotCost> BoardMachine::cost_of(SnapshotId id) const {
  if (!snapshots_.contains(id)) return fail("this machine has no snapshot {}", id.value);
  return SnapshotCost{.kept_pages = versions_->kept_for(id.value),
                      .total_pages = versions_->copies()};
}

void BoardMachine::about_to_store(Pa pa) noexcept {
  versions_->about_to_store(page_of(pa));
}

Result<void> BoardMachine::write_memory(Pa pa, std::span<const std::byte> bytes) {
  if (const auto inside = memory(pa, bytes.size()); !inside) return std::unexpected(inside.error());
  if (bytes.empty()) return {};
  for (Pa page{align_down(pa.value, page_size)}; page < pa + bytes.size();
       page = page + page_size) {
    if (versions_) about_to_store(page);
    cpu_->page_replaced(page);
  }
  std::ranges::copy(bytes, ram_.at({.base = pa, .size = bytes.size()}).begin());
  cpu_->memory_replaced();
  return {};
}

}  // namespace pkvmemu::machine
