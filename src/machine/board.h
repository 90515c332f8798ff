// SPDX-License-Identifier: GPL-2.0-only
// The board behind Machine: RAM, CPU and devices wired together. Internal to src/machine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cpu/cpu.h"
#include "device/bus.h"
#include "device/el3_monitor.h"
#include "device/event_port.h"
#include "device/pl011.h"
#include "device/scripted_world.h"
#include "machine/guest_ram.h"
#include "machine/image_header.h"
#include "machine/machine.h"
#include "machine/page_versions.h"

namespace pkvmemu::machine {

class BoardMachine final : public Machine, private cpu::Board, private cpu::StoreWatch {
 public:
  BoardMachine(const Config& config, GuestRam ram);

  /// Wires the board and puts the guest's files where they belong.
  Result<void> boot(const Config& config);

  Exit run() override { return run_until({}); }
  Exit run_until(const Until& until) override;
  Exit run_until_event(std::function<bool(const Event&)> wanted) override;
  void request_stop() override { cpu_->request_stop(); }
  void stop_here(ExitReason reason, std::string detail) override;

  std::uint64_t instructions() const override { return cpu_->instructions(); }
  const std::string& console() const override { return console_; }
  std::span<const Event> events() const override { return events_; }
  device::WorldUse world_use() const override { return world_.use(); }

  Result<std::span<const std::byte>> memory(Pa pa, std::uint64_t size) const override;
  Result<void> write_memory(Pa pa, std::span<const std::byte> bytes) override;

  Result<SnapshotId> take_snapshot() override;
  Result<void> restore(SnapshotId id) override;
  void drop(SnapshotId id) override;
  Result<SnapshotCost> cost_of(SnapshotId id) const override;

  std::span<const std::byte> pvmfw_region() const override { return pvmfw_; }
  std::uint64_t x(unsigned index) const override { return cpu_->x(index); }
  void set_x(unsigned index, std::uint64_t value) override { cpu_->set_x(index, value); }
  void set_pc(std::uint64_t value) override { cpu_->set_pc(value); }
  std::uint64_t pc() const override { return cpu_->pc(); }
  unsigned el() const override { return cpu_->el(); }
  std::uint64_t sp() const override { return cpu_->sp(); }
  std::optional<Pa> physical(Va va) const override { return cpu_->physical(va); }
  std::vector<cpu::NamedRegister> registers() const override { return cpu_->registers(); }

  void watch_code(Va address) override { cpu_->watch_code(address.value); }
  void set_observer(Observer* observer) override;

 private:
  // cpu::Board
  void secure_monitor_call() noexcept override;
  void exception_entered(const cpu::ExceptionEntry& entry) noexcept override;
  void exception_returned(unsigned from_el, unsigned to_el) noexcept override;
  void code_reached(std::uint64_t address) noexcept override;

  // cpu::StoreWatch
  void about_to_store(Pa pa) noexcept override;

  /// A device whose answers the observer sees.
  class ObservedDevice final : public device::Device {
   public:
    ObservedDevice(BoardMachine& board, Pa base, device::Device& device)
        : board_(board), base_(base), device_(device) {}
    std::uint64_t read(std::uint64_t offset, unsigned size) noexcept override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept override {
      device_.write(offset, size, value);
    }

   private:
    BoardMachine& board_;
    Pa base_;
    device::Device& device_;
  };

  /// What a snapshot holds besides RAM.
  struct Saved {
    std::shared_ptr<const cpu::CpuState> cpu;
    device::Pl011::State uart{};
    device::EventPort::State event_port{};
    device::ScriptedWorld::State world{};
    std::string console;
    std::vector<Event> events;
    bool call_in_progress = false;
    device::El3Monitor::Action secure_action = device::El3Monitor::Action::resume;
  };

  Result<void> load(const Config& config);
  Result<void> attach_devices(const Config& config);
  /// What a read of a device gets: the observer may change it.
  [[nodiscard]] std::uint64_t observed(Pa address, std::uint64_t value);
  [[nodiscard]] device::SecureMemory secure_memory();
  /// x0 to x17 of the caller.
  [[nodiscard]] device::SecureWorld::Registers secure_registers() const;
  void transmit(char character);
  void record(device::EventPort::Producer producer, const pkvm::event::Record& news);
  void update_watch() noexcept;
  Exit exit_for(const cpu::Stop& stop) const;

  GuestRam ram_;
  device::Pl011 uart_;
  std::optional<device::EventPort> event_port_;
  ObservedDevice observed_uart_{*this, Pa{pkvm::platform::pl011_base}, uart_};
  device::ScriptedWorld world_;
  device::Bus bus_;
  /// Last of the hardware, so that it goes first: the engine points into all of the above.
  std::unique_ptr<cpu::Cpu> cpu_;

  std::uint64_t budget_;
  std::function<void(std::string_view)> console_sink_;
  std::function<void(const Event&)> event_sink_;
  std::string console_;
  std::vector<Event> events_;
  std::span<std::byte> pvmfw_;
  Pa entry_;
  Pa devicetree_;
  Observer* observer_ = nullptr;
  bool call_in_progress_ = false;
  device::El3Monitor::Action secure_action_ = device::El3Monitor::Action::resume;
  std::function<bool(const Event&)> wanted_event_;
  /// stop_here()'s, in this run.
  struct AskedEnd {
    ExitReason reason = ExitReason::breakpoint;
    std::string detail;
  };
  std::optional<AskedEnd> asked_end_;

  /// Only once there was a snapshot.
  std::optional<PageVersions> versions_;
  std::map<SnapshotId, Saved> snapshots_;
  /// What console and events are a continuation of.
  SnapshotId descends_from_;
};

}  // namespace pkvmemu::machine
