// SPDX-License-Identifier: GPL-2.0-only
// The board: one CPU with EL1, EL2 and our EL3 monitor, RAM, PL011, event port, laid out like
// QEMU's `virt` (include/pkvm/platform.h). Same configuration, same run, to the last byte and
// instruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/cpu.h"
#include "device/script.h"
#include "device/world_use.h"
#include "machine/declared_device.h"
#include "machine/exit.h"
#include "machine/guest_ram.h"
#include "machine/snapshot.h"
#include "pkvm/event.h"
#include "pkvm/platform.h"
#include "support/address.h"
#include "support/file.h"
#include "support/result.h"

namespace pkvmemu::machine {

/// A record of one of the rings, stamped by the machine.
struct Event {
  bool from_hyp = false;
  std::uint64_t instructions = 0;      ///< executed so far, over all exception levels
  std::uint64_t el2_instructions = 0;  ///< executed at EL2; exact between call_begin and call_end
  pkvm::event::Record record{};
};

/// So many are kept and told of; a guest may report without end.
inline constexpr std::size_t event_limit = 65'536;

/// Bytes that lie in RAM before the start, as a boot loader leaves them: the kernel's allocator
/// keeps off the pages, which are reserved in the devicetree.
struct MemoryImage {
  Pa address;
  Bytes bytes;
  std::string name;  ///< for messages
};

struct Config {
  /// arm64 Image (boot protocol header at offset 0).
  std::span<const std::byte> kernel{};
  /// newc cpio, uncompressed; empty for none. Must live until create() returns.
  std::span<const std::byte> initrd{};
  /// pVM firmware, copied into its reserved region; at most platform::pvmfw_size bytes. Empty
  /// leaves the region out of the devicetree.
  std::span<const std::byte> pvmfw{};
  std::string bootargs{};
  /// Nodes of the devicetree for drivers of the guest.
  std::span<const DeclaredDevice> devices{};
  std::uint64_t ram_size = pkvm::platform::default_ram_size;
  /// several_times for guests that run code where other code has run, as virtual machines do.
  RamMapping ram_mapping = RamMapping::once;
  /// Instructions until the run ends with budget_spent.
  std::uint64_t budget = 2'000'000'000;
  /// Offer the event port. Off makes the board what QEMU's `virt` is.
  bool event_port = true;
  std::vector<MemoryImage> memory{};
  /// Devices and answers of EL3 that a user describes. Empty: there are none.
  device::WorldScript world{};
  /// Receives console output as the guest writes it, in order. May be empty: the text is kept
  /// anyway.
  std::function<void(std::string_view)> console_sink{};
  /// Told of each event as it happens. May be empty: they are kept anyway.
  std::function<void(const Event&)> event_sink{};
  /// Told of each access and call that `world` logs, as a line. May be empty: they are kept anyway.
  std::function<void(std::string_view)> world_log_sink{};
};

/// Whether the devices that `config.world` describes can be where it says; create() refuses them,
/// too.
Result<void> check_regions(const Config& config);

/// What an exception entry looked like; for observers.
struct ExceptionEntry {
  unsigned from_el = 0;
  unsigned to_el = 0;
  std::uint64_t esr = 0;
  std::uint64_t far = 0;
  std::uint64_t elr = 0;
};

/// Looks on; called between guest instructions, so registers and memory may be read, and a stop
/// requested. Costs nothing when absent.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void exception_entered(const ExceptionEntry& /*entry*/) {}
  /// The guest left an exception level by ERET. Reported only while `wants_exception_return()`.
  virtual void exception_returned(unsigned /*from_el*/, unsigned /*to_el*/) {}
  virtual bool wants_exception_return() const { return false; }
  /// The instruction at an address of Machine::watch_code() is about to run: told once for each
  /// time that it does. Registers, PC and memory may be changed, and stop_here() is before it.
  virtual void code_reached(Va /*address*/) {}
  /// EL3 is called by an SMC that nobody traps; registers are the caller's, PC is behind it. True:
  /// the observer has answered in its place. stop_here() may be called.
  virtual bool secure_call() { return false; }
  /// A device register was read and holds `value`: what the guest gets. PC is not exact.
  virtual std::uint64_t device_read(Pa /*address*/, std::uint64_t value) { return value; }
};

/// Where run_until() stops; the first of the two that are given.
struct Until {
  struct Place {
    Va pc;
    std::optional<unsigned> el{};  ///< any, when not given
    /// Before the instruction there is executed for the so manieth time; attempts that end in an
    /// exception do not count.
    std::uint64_t hits = 1;
  };
  /// When so many are completed, of the total that instructions() counts.
  std::optional<std::uint64_t> instructions{};
  std::optional<Place> place{};
};

class Machine {
 public:
  static Result<std::unique_ptr<Machine>> create(const Config& config);
  virtual ~Machine() = default;

  /// Runs until something of `Exit` happens. May be called again after `breakpoint` and `stopped`,
  /// and after any end once a snapshot is restored.
  virtual Exit run() = 0;
  /// As run(), and stops with `breakpoint` where `until` says, exactly: between two instructions.
  /// Places and counts are looked for from here on.
  virtual Exit run_until(const Until& until) = 0;
  /// As run(), and stops with `breakpoint` when the guest has reported an event that `wanted`
  /// picks: at the end of the straight piece of code that reported it.
  virtual Exit run_until_event(std::function<bool(const Event&)> wanted) = 0;
  /// Safe from a signal handler or another thread: the run ends soon with `stopped`.
  virtual void request_stop() = 0;
  /// From Observer::code_reached(), secure_call() and exception_entered(): the run ends exactly
  /// here, before the next instruction, for that reason. The next run goes on with that
  /// instruction, and does not tell of it again.
  virtual void stop_here(ExitReason reason = ExitReason::breakpoint, std::string detail = {}) = 0;

  virtual std::uint64_t instructions() const = 0;
  virtual const std::string& console() const = 0;
  virtual std::span<const Event> events() const = 0;

  /// What the guest did with scripted devices and EL3 so far.
  virtual device::WorldUse world_use() const = 0;

  /// Guest RAM by physical address, to look at; an error when the range leaves RAM.
  virtual Result<std::span<const std::byte>> memory(Pa pa, std::uint64_t size) const = 0;
  /// Between instructions: changes RAM, code included; an error when the range leaves it.
  virtual Result<void> write_memory(Pa pa, std::span<const std::byte> bytes) = 0;

  /// Between runs: the machine as it is now, to come back to (snapshot.h). An error when the CPU
  /// engine gave up.
  virtual Result<SnapshotId> take_snapshot() = 0;
  /// Between runs, after whatever end: the machine is what it was. The console and the event sinks
  /// hear nothing of it. An error for a snapshot that there is not, and when the engine gave up.
  virtual Result<void> restore(SnapshotId id) = 0;
  /// Frees it; one that there is not is no error.
  virtual void drop(SnapshotId id) = 0;
  virtual Result<SnapshotCost> cost_of(SnapshotId id) const = 0;
  /// Where pvmfw lies; empty when there is none.
  virtual std::span<const std::byte> pvmfw_region() const = 0;
  /// General register 0..30, and PC.
  virtual std::uint64_t x(unsigned index) const = 0;
  /// Between instructions: from an observer, or when the machine does not run.
  virtual void set_x(unsigned index, std::uint64_t value) = 0;
  /// Between runs, or from Observer::code_reached(): that instruction is not run. There it counts
  /// as one itself.
  virtual void set_pc(std::uint64_t value) = 0;
  virtual std::uint64_t pc() const = 0;
  virtual unsigned el() const = 0;
  virtual std::uint64_t sp() const = 0;
  /// Where a read of `va` would go now, by the registers and tables of the current exception level;
  /// nothing when it would fault.
  virtual std::optional<Pa> physical(Va va) const = 0;

  /// Every register of every level, by its architectural name.
  virtual std::vector<cpu::NamedRegister> registers() const = 0;

  /// The observer is told each time that the instruction at `address` is about to run. Before run()
  /// or from a callback; code that has run already is not told of.
  virtual void watch_code(Va address) = 0;
  /// At most one; nullptr takes it away. Set before run().
  virtual void set_observer(Observer* observer) = 0;

 protected:
  Machine() = default;
};

}  // namespace pkvmemu::machine
