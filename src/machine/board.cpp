// SPDX-License-Identifier: GPL-2.0-only
#include "machine/board.h"

#include <array>
#include <span>
#include <utility>

#include "machine/placement.h"
#include "support/bits.h"
#include "support/log.h"

namespace pkvmemu::machine {
namespace {

using Action = device::El3Monitor::Action;

/// What is kept for the caller of what a guest may produce without end.
constexpr std::size_t console_limit = std::size_t{16} << 20;

struct StopRow {
  cpu::StopReason from;
  ExitReason to;
};
constexpr std::array stop_rows{
    StopRow{cpu::StopReason::requested, ExitReason::stopped},
    StopRow{cpu::StopReason::halted, ExitReason::halted},
    StopRow{cpu::StopReason::budget_spent, ExitReason::budget_spent},
    StopRow{cpu::StopReason::reached, ExitReason::breakpoint},
    StopRow{cpu::StopReason::wedged, ExitReason::wedged},
    StopRow{cpu::StopReason::engine_error, ExitReason::engine_error},
};

struct ActionRow {
  Action from;
  ExitReason to;
};
constexpr std::array action_rows{
    ActionRow{Action::power_off, ExitReason::powered_off},
    ActionRow{Action::reset, ExitReason::reset},
    ActionRow{Action::halt, ExitReason::halted},
};

}  // namespace

BoardMachine::BoardMachine(const Config& config, GuestRam ram)
    : ram_(std::move(ram)),
      uart_([this](char character) { transmit(character); }),
      world_(
          config.world,
          {.answer = [this](Pa address, std::uint64_t value) { return observed(address, value); },
           .level = [this] { return cpu_->el(); },
           .line = config.world_log_sink,
           .memory = secure_memory()}),
      budget_(config.budget),
      console_sink_(config.console_sink),
      event_sink_(config.event_sink) {}

Result<void> BoardMachine::boot(const Config& config) {
  if (config.event_port)
    event_port_.emplace(ram_.at(hyp_ring_range(ram_.size())), ram_.at(host_ring_range(ram_.size())),
                        [this](device::EventPort::Producer producer,
                               const pkvm::event::Record& news) { record(producer, news); });
  if (const auto loaded = load(config); !loaded) return loaded;

  auto cpu = cpu::Cpu::create(*this);
  if (!cpu) return std::unexpected(cpu.error());
  cpu_ = std::move(*cpu);
  if (const auto mapped = cpu_->map_ram(Pa{pkvm::platform::ram_base}, ram_.all()); !mapped)
    return mapped;
  if (const auto attached = attach_devices(config); !attached) return attached;
  // The boot protocol's entry: x0 points to the devicetree, x1 to x3 are 0.
  cpu_->set_pc(entry_.value);
  cpu_->set_x(0, devicetree_.value);
  return bus_.connect(*cpu_);
}

Result<void> BoardMachine::attach_devices(const Config& config) {
  if (const auto good = check_regions(config); !good) return good;
  bus_.attach(Pa{pkvm::platform::pl011_base}, pkvm::platform::pl011_size, observed_uart_, "PL011");
  if (event_port_)
    bus_.attach(Pa{pkvm::platform::event_port_base}, pkvm::platform::event_port_size, *event_port_,
                "event port");
  world_.attach_to(bus_);
  return {};
}

Exit BoardMachine::run_until(const Until& until) {
  update_watch();
  asked_end_.reset();
  cpu::Until stop{.instructions = until.instructions, .place = {}};
  if (until.place)
    stop.place = {.pc = until.place->pc.value, .el = until.place->el, .hits = until.place->hits};
  return exit_for(cpu_->run(budget_, stop));
}

Exit BoardMachine::run_until_event(std::function<bool(const Event&)> wanted) {
  wanted_event_ = std::move(wanted);
  const Exit exit = run();
  wanted_event_ = {};
  return exit;
}

void BoardMachine::stop_here(ExitReason reason, std::string detail) {
  asked_end_ = {.reason = reason, .detail = std::move(detail)};
  cpu_->stop();
}

Exit BoardMachine::exit_for(const cpu::Stop& stop) const {
  Exit exit{.reason = ExitReason::engine_error, .pc = pc(), .el = el(), .detail = stop.detail};
  for (const StopRow& row : stop_rows)
    if (row.from == stop.reason) exit.reason = row.to;
  if (stop.reason == cpu::StopReason::board && asked_end_) {
    exit.reason = asked_end_->reason;
    exit.detail = asked_end_->detail;
  } else if (stop.reason == cpu::StopReason::board) {
    for (const ActionRow& row : action_rows)
      if (row.from == secure_action_) exit.reason = row.to;
  }
  return exit;
}

device::SecureMemory BoardMachine::secure_memory() {
  return {.read = [this](Pa at, std::uint64_t size) -> std::optional<std::vector<std::byte>> {
            const auto bytes = memory(at, size);
            if (!bytes) return std::nullopt;
            return std::vector(bytes->begin(), bytes->end());
          },
          .write =
              [this](Pa at, std::span<const std::byte> bytes) {
                return write_memory(at, bytes).has_value();
              }};
}

device::SecureWorld::Registers BoardMachine::secure_registers() const {
  device::SecureWorld::Registers registers{};
  for (unsigned i = 0; i < registers.size(); ++i)
    registers[i] = x(i);
  return registers;
}

void BoardMachine::secure_monitor_call() noexcept {
  const device::SecureWorld::Registers asked = secure_registers();
  if (observer_ != nullptr && observer_->secure_call()) {
    world_.secure().note_other(asked, secure_registers());
    return;
  }
  const auto answer = world_.secure().call(asked);
  if (answer.action == Action::power_up) {
    cpu_->power_up(answer.entry, answer.x[0]);
    return;
  }
  for (unsigned i = 0; i < answer.x.size(); ++i)
    if (answer.x[i] != asked[i]) cpu_->set_x(i, answer.x[i]);
  secure_action_ = answer.action;
  if (answer.action != Action::resume) cpu_->stop();
}

void BoardMachine::exception_entered(const cpu::ExceptionEntry& entry) noexcept {
  if (observer_ == nullptr) return;
  observer_->exception_entered({.from_el = entry.from_el,
                                .to_el = entry.to_el,
                                .esr = entry.esr,
                                .far = entry.far,
                                .elr = entry.elr});
  update_watch();
}

void BoardMachine::exception_returned(unsigned from_el, unsigned to_el) noexcept {
  if (observer_ == nullptr) return;
  observer_->exception_returned(from_el, to_el);
  update_watch();
}

void BoardMachine::code_reached(std::uint64_t address) noexcept {
  if (observer_ != nullptr) observer_->code_reached(Va{address});
}

std::uint64_t BoardMachine::observed(Pa address, std::uint64_t value) {
  return observer_ == nullptr ? value : observer_->device_read(address, value);
}

std::uint64_t BoardMachine::ObservedDevice::read(std::uint64_t offset, unsigned size) noexcept {
  return board_.observed(base_ + offset, device_.read(offset, size));
}

void BoardMachine::set_observer(Observer* observer) {
  observer_ = observer;
  update_watch();
}

void BoardMachine::update_watch() noexcept {
  cpu_->watch({.exceptions = observer_ != nullptr,
               .returns = observer_ != nullptr && observer_->wants_exception_return(),
               .el2_count = call_in_progress_});
}

void BoardMachine::transmit(char character) {
  if (console_.size() < console_limit) console_.push_back(character);
  if (console_sink_) console_sink_(std::string_view(&character, 1));
}

void BoardMachine::record(device::EventPort::Producer producer, const pkvm::event::Record& news) {
  if (news.kind == pkvm::event::Kind::call_begin || news.kind == pkvm::event::Kind::call_end) {
    call_in_progress_ = news.kind == pkvm::event::Kind::call_begin;
    update_watch();
  }
  if (events_.size() == event_limit) return;
  events_.push_back({.from_hyp = producer == device::EventPort::Producer::hyp,
                     .instructions = cpu_->instructions(),
                     .el2_instructions = cpu_->el2_instructions(),
                     .record = news});
  if (event_sink_) event_sink_(events_.back());
  if (wanted_event_ && wanted_event_(events_.back())) cpu_->stop_at_block();
  if (events_.size() == event_limit)
    log::warning("the guest reported {} events; later ones are dropped", event_limit);
}

Result<std::span<const std::byte>> BoardMachine::memory(Pa pa, std::uint64_t size) const {
  const Range range{.base = pa, .size = size};
  if (!ram_.contains(range))
    return fail("{} bytes at {:#x} are not all RAM, which is {:#x} to {:#x}", size, pa.value,
                pkvm::platform::ram_base, ram_end(ram_.size()).value);
  return ram_.at(range);
}

}  // namespace pkvmemu::machine
