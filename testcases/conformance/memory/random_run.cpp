// SPDX-License-Identifier: GPL-2.0-only
#include "conformance/memory/random_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "conformance/memory/script.h"
#include "harness/in_process.h"
#include "pkvm/event.h"

namespace pkvmemu::test {
namespace {

using mmu::AccessKind;
using pkvm::event::Kind;

// Access letters of a touch and the permission each needs.
struct AccessRow {
  char letter;
  std::uint8_t right;
  AccessKind kind;
};
constexpr std::array access_rows = {
    AccessRow{.letter = 'r', .right = ModelPage::r, .kind = AccessKind::read},
    AccessRow{.letter = 'w', .right = ModelPage::w, .kind = AccessKind::write},
    AccessRow{.letter = 'x', .right = ModelPage::x, .kind = AccessKind::execute},
};

constexpr std::uint64_t frame_of(std::size_t page) {
  return random_first_frame + page;
}

}  // namespace

RandomRun::RandomRun(const pkvm::GenerationInfo& generation, std::uint64_t seed)
    : generation_(generation), random_(seed), model_(generation.id) {
  options_.modules = {module(fmt::format("{}/memory", generation.kmi))};
  options_.wishes = PageScan::first_calls();
  texts_.resize(options_.wishes.size(), "for the scan");
  expected_.resize(options_.wishes.size());
}

void RandomRun::call(memory_operation operation, std::vector<std::uint64_t> arguments,
                     std::int64_t expected) {
  texts_.push_back(
      fmt::format("operation {} ({:#x})", static_cast<int>(operation), fmt::join(arguments, ", ")));
  expected_.push_back(expected);
  arguments.insert(arguments.begin(), static_cast<std::uint64_t>(operation));
  options_.wishes.push_back(
      tool::RcLine{.verb = tool::RcVerb::call, .target = "memory_hvc", .args = arguments});
}

/// Aborted or not is the answer: 1 or 0.
void RandomRun::touch(std::size_t page, char access) {
  std::uint8_t right = 0;
  for (const AccessRow& row : access_rows)
    if (row.letter == access) right = row.right;
  std::string target = fmt::format("{}:{:#x}", access, frame_of(page) << 12);
  if (access == 'w') target += "=0xd65f03c0";  // RET, for touches that execute
  texts_.push_back("touch " + target);
  expected_.push_back(model_.host_may(page, right) ? 0 : 1);
  options_.wishes.push_back(
      tool::RcLine{.verb = tool::RcVerb::touch, .target = target, .args = {}});
}

void RandomRun::touch_all() {
  for (std::size_t page = 0; page < random_pages; ++page)
    touch(page, 'r');
}

void RandomRun::add_step() {
  const std::size_t first = random_() % (random_pages - 8);
  const std::size_t count = 1 + (random_() % 4);
  switch (random_() % 7) {
    case 0:
      call(MEMORY_SHARE, {frame_of(first)}, model_.share(first));
      return;
    case 1:
      call(MEMORY_UNSHARE, {frame_of(first)}, model_.unshare(first));
      return;
    case 2:
      add_pin_step(first, count);
      return;
    case 3:
      touch(first, random_() % 2 == 0 ? 'r' : 'w');
      return;
    default:
      add_range_step(first, count);
      return;
  }
}

void RandomRun::add_range_step(std::size_t first, std::size_t count) {
  constexpr std::array<std::uint8_t, 5> prots = {0, ModelPage::r, ModelPage::r | ModelPage::w,
                                                 ModelPage::rwx, ModelPage::rwx};
  const std::uint64_t frame = frame_of(first);
  const std::uint8_t prot = prots.at(random_() % prots.size());
  switch (random_() % 4) {
    case 0:
      call(MEMORY_DONATE, {frame, count, 0}, model_.donate(first, count));
      return;
    case 1:
      call(MEMORY_RETURN, {frame, count}, model_.give_back(first, count));
      return;
    case 2:
      call(MEMORY_MOD_PROT_RANGE, {frame, prot, count, 0}, model_.mod_prot(first, count, prot));
      return;
    default: {
      if (generation_.id == pkvm::Generation::android14_6_1) return;
      const bool on = random_() % 2 == 0;
      if (!model_.all_lazy(first, count, !on)) return;
      call(on ? MEMORY_LAZY_ON : MEMORY_LAZY_OFF, {frame, count},
           model_.set_lazy(first, count, on));
      return;
    }
  }
}

void RandomRun::add_pin_step(std::size_t first, std::size_t count) {
  const std::uint64_t from = frame_of(first) << 12;
  const std::uint64_t to = from + (count << 12);
  if (random_() % 2 == 0) {
    call(MEMORY_PIN_RANGE, {from, to}, model_.pin(first, count));
  } else if (model_.can_unpin(first, count)) {
    model_.unpin(first, count);
    call(MEMORY_UNPIN_RANGE, {from, to}, 0);
  }
}

std::string RandomRun::run() {
  machine_ = boot_in_process(options_);
  const machine::Exit exit = machine_->run();
  if (exit.reason != machine::ExitReason::powered_off) return "the run did not end by itself";

  scan_ = std::make_unique<PageScan>(*machine_);

  const std::size_t first_step = PageScan::first_calls().size();
  std::size_t step = 0;
  for (const machine::Event& event : machine_->events()) {
    const auto& v = event.record.value;
    const bool is_call = event.record.kind == Kind::call_end;
    if (event.from_hyp || (!is_call && event.record.kind != Kind::touch_end)) continue;
    const auto answer = static_cast<std::int64_t>(is_call ? v[1] : v[0]);
    if (step >= first_step && answer != expected_.at(step))
      return fmt::format("step {}, {}: the model says {}, the machine {}", step, texts_.at(step),
                         expected_.at(step), answer);
    ++step;
  }
  if (step != texts_.size()) return fmt::format("{} of {} steps were made", step, texts_.size());
  return {};
}

std::string RandomRun::scan_page(std::size_t page) const {
  const Pa pa{frame_of(page) << 12};
  const Holder holder = model_[page].holder;
  for (const AccessRow& row : access_rows)
    if (scan_->host_may(pa, row.kind) != model_.host_may(page, row.right))
      return fmt::format("page {} (holder {}): host {} is {}", page, static_cast<int>(holder),
                         row.letter, scan_->host_may(pa, row.kind));
  const bool aliased = holder == Holder::shared || holder == Holder::hyp;
  for (const AccessKind kind : {AccessKind::read, AccessKind::write})
    if (scan_->hyp_may(pa, kind) != aliased)
      return fmt::format("page {} (holder {}): alias is {}", page, static_cast<int>(holder),
                         !aliased);
  if (scan_->hyp_may(pa, AccessKind::execute))
    return fmt::format("page {}: the alias executes", page);
  return {};
}

/// Every other page of RAM: no two owners.
std::string RandomRun::scan_rest() const {
  for (const std::uint64_t frame : scan_->frames_of_both())
    if (frame < random_first_frame || frame >= random_first_frame + random_pages)
      return fmt::format("frame {:#x}: the host's and the hypervisor's", frame);
  return {};
}

std::string RandomRun::scan() const {
  for (std::size_t page = 0; page < random_pages; ++page)
    if (std::string different = scan_page(page); !different.empty()) return different;
  return scan_rest();
}

}  // namespace pkvmemu::test
