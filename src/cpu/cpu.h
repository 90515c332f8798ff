// SPDX-License-Identifier: GPL-2.0-only
// The CPU: one arm64 core with EL0, EL1 and EL2, over the Unicorn engine, which nothing outside
// this folder sees.
//
// Ours are translation (src/mmu, through the engine's virtual TLB), exception entry (`enter`, the
// one door), the syndromes, the counters and the instruction budget. The engine's are everything
// between exceptions: instructions, ERET, system registers but for those of system_registers.h.
//
// Time is instructions completed, so the same input gives the same run to the last byte.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cpu/code_pages.h"
#include "cpu/exception_level.h"
#include "mmu/translate.h"
#include "support/address.h"
#include "support/result.h"

namespace pkvmemu::cpu {

class Engine;
struct CpuState;
struct EngineHooks;
struct EnginePosition;
struct InterruptRow;
struct LoadStore;
struct SysReg;

/// Why run() came back.
enum class StopReason : std::uint8_t {
  board,         ///< the board called stop()
  requested,     ///< request_stop() was called
  halted,        ///< WFI, and nothing can wake the CPU
  budget_spent,  ///< the next block would exceed the budget
  reached,       ///< where Until said, or stop_at_block() was called
  wedged,        ///< exception upon exception at the exception vector, without progress
  engine_error,  ///< the engine gave up: its bug or ours; the CPU runs no more
};

struct Stop {
  StopReason reason = StopReason::board;
  std::string detail;
};

struct NamedRegister {
  std::string name;
  std::uint64_t value = 0;
  bool operator==(const NamedRegister&) const = default;
};

/// Where a run stops of itself, exactly there: between two instructions. Nothing: nowhere.
struct Until {
  struct Place {
    std::uint64_t pc = 0;
    std::optional<unsigned> el{};  ///< any, when not given
    /// Before the instruction there is executed for the so manieth time; attempts that end in an
    /// exception do not count.
    std::uint64_t hits = 1;
  };
  /// When so many are completed, of the total that instructions() counts.
  std::optional<std::uint64_t> instructions{};
  std::optional<Place> place{};
};

/// An exception entry that has just happened.
struct ExceptionEntry {
  unsigned from_el = 0;
  unsigned to_el = 0;
  std::uint64_t esr = 0;
  std::uint64_t far = 0;
  std::uint64_t elr = 0;
};

/// What the CPU asks of, and tells, the board that it sits on. Called between instructions: the
/// CPU's registers are current and may be changed.
class Board {
 public:
  Board() = default;
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;
  virtual ~Board() = default;

  /// SMC that EL2 does not trap. PC is already behind it.
  virtual void secure_monitor_call() noexcept = 0;
  /// Only while Watch::exceptions is set.
  virtual void exception_entered(const ExceptionEntry& entry) noexcept = 0;
  /// Only while Watch::returns is set.
  virtual void exception_returned(unsigned from_el, unsigned to_el) noexcept = 0;
  /// The instruction at an address of watch_code() is about to run: told once for each time that it
  /// does. stop() is before it, set_pc() goes elsewhere instead of it.
  virtual void code_reached(std::uint64_t address) noexcept = 0;
};

/// Device memory. Offsets are within the window; `size` is 1, 2 or 4 (a 64-bit access comes as two
/// of 32 bits). PC is not exact while these run.
class MmioWindow {
 public:
  MmioWindow() = default;
  MmioWindow(const MmioWindow&) = delete;
  MmioWindow& operator=(const MmioWindow&) = delete;
  virtual ~MmioWindow() = default;

  virtual std::uint64_t read(std::uint64_t offset, unsigned size) noexcept = 0;
  virtual void write(std::uint64_t offset, unsigned size, std::uint64_t value) noexcept = 0;
};

/// Whoever keeps copies of memory: told before the guest's first store to a page of RAM after
/// save() or restore(). Called while an instruction waits.
class StoreWatch {
 public:
  StoreWatch() = default;
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;
  virtual ~StoreWatch() = default;

  /// May be told of the same page several times.
  virtual void about_to_store(Pa pa) noexcept = 0;
};

/// What the CPU keeps track of beyond running. Each costs something, so each is off by default.
struct Watch {
  bool exceptions = false;  ///< tell the board of exception entries
  bool returns = false;     ///< tell the board of exception returns
  bool el2_count = false;   ///< count the instructions of EL2
};

class Cpu {
 public:
  static Result<std::unique_ptr<Cpu>> create(Board& board);
  ~Cpu();
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;

  /// Both before the first run; windows and RAM are 4 KiB aligned and do not overlap.
  Result<void> map_ram(Pa base, std::span<std::byte> memory);
  Result<void> map_mmio(Pa base, std::uint64_t size, MmioWindow& window);

  /// Runs until something of StopReason happens. `budget` is the total of instructions() that is
  /// never exceeded.
  Stop run(std::uint64_t budget, const Until& until = {});
  /// From a Board callback: run() returns here, before the next instruction.
  void stop() noexcept;
  /// From an MmioWindow: run() returns before the next block, with `reached`.
  void stop_at_block() noexcept;
  /// From a signal handler or another thread: run() returns at the next block.
  void request_stop() noexcept { stop_requested_.store(true, std::memory_order_relaxed); }

  void watch(Watch wanted) noexcept;
  /// Tells the board whenever the instruction at `address` is about to run, at any exception level.
  /// At any time, from a callback too: code that has run already is translated anew, if the level
  /// that runs now is the one that ran it. After a stop there the next run goes on with the
  /// instruction, and does not tell of it again.
  void watch_code(std::uint64_t address);

  /// Between runs: all that the CPU holds besides memory. From here on the watch hears of stores.
  [[nodiscard]] std::shared_ptr<const CpuState> save();
  /// Between runs, after memory was put back. `state` came from this CPU.
  void restore(const CpuState& state);
  void watch_stores(StoreWatch* watch) { store_watch_ = watch; }
  /// Between runs: the host is about to change bytes in the page at `pa`; code there will be looked
  /// at anew.
  void page_replaced(Pa pa) { code_pages_.replaced(pa); }
  /// After page_replaced() and the change, unless restore() follows. In Board::code_reached() too:
  /// what the next instruction is then is looked at anew.
  void memory_replaced();
  /// Whether it can still be saved and restored: not after the engine gave up.
  [[nodiscard]] bool is_usable() const { return !engine_aborted_; }

  /// Instructions completed. Exact between instructions; inside an MmioWindow call it includes the
  /// rest of the block.
  [[nodiscard]] std::uint64_t instructions() const {
    return told_now_ ? told_->instructions : instructions_;
  }
  /// Those of EL2 while Watch::el2_count or Watch::returns was set.
  [[nodiscard]] std::uint64_t el2_instructions() const { return el2_instructions_; }

  /// From Board::secure_monitor_call: the CPU was off, and is at EL2 with x0, MMU and caches off.
  /// All that the architecture leaves unknown has values that nobody can mean.
  void power_up(Pa entry, std::uint64_t x0) noexcept;

  [[nodiscard]] std::uint64_t x(unsigned index) const;
  void set_x(unsigned index, std::uint64_t value);
  [[nodiscard]] std::uint64_t sp() const;
  [[nodiscard]] std::uint64_t pc() const;
  /// Between runs, and in Board::code_reached(), where it counts as an instruction: the branch that
  /// it is. So nobody goes in circles for ever.
  void set_pc(std::uint64_t value);
  [[nodiscard]] unsigned el() const;
  [[nodiscard]] std::uint32_t pstate() const;
  /// Where a read of `va` would go now, by the registers and tables of the current level; nothing
  /// when it would fault.
  [[nodiscard]] std::optional<Pa> physical(Va va) const;

  /// Every register of every level that this CPU has state in, by its architectural name.
  [[nodiscard]] std::vector<NamedRegister> registers() const;

  /// The one door to a handler: banks SP, writes ELR, SPSR, ESR (and FAR, HPFAR where given), sets
  /// PSTATE and goes to the vector.
  struct Exception {
    unsigned target_el = 1;
    VectorType type = VectorType::synchronous;
    std::uint64_t esr = 0;
    std::uint64_t elr = 0;
    std::optional<std::uint64_t> far{};
    std::optional<std::uint64_t> hpfar{};
  };
  void enter(const Exception& exception) noexcept;

  /// The engine, for this folder and its tests.
  [[nodiscard]] Engine& engine() { return *engine_; }

 private:
  friend struct EngineHooks;
  friend struct CpuState;

  struct Ram {
    Pa base;
    std::span<std::byte> memory;
  };
  struct Window {
    Pa base;
    std::uint64_t size = 0;
    MmioWindow* handler = nullptr;
  };
  /// A TLB fill that was refused; what the exception entry after the engine's return needs.
  struct Refusal {
    mmu::AccessKind kind = mmu::AccessKind::read;
    std::uint64_t masked_va = 0;
    std::optional<mmu::Fault> fault;  ///< none: nothing answers at the physical address
  };
  /// A page that the engine was told it may execute from. When an instruction runs, the latest such
  /// fill of its page is the one in force, so the instruction can be read without a walk.
  struct FetchPage {
    std::uint64_t page = ~std::uint64_t{0};  ///< VA >> 10
    unsigned el = 0;
    const std::byte* bytes = nullptr;
  };

  Cpu(Board& board, std::unique_ptr<Engine> engine);
  void set_reset_state();
  void run_engine();
  void install_hooks();

  void rename_code();
  void drop_translations(Pa pa);
  [[nodiscard]] bool map_another_name();
  [[nodiscard]] bool map_again(const Ram& ram, std::uint64_t offset);

  // cpu_fill.cpp
  bool fill(std::uint64_t va, mmu::AccessKind kind, void* entry) noexcept;
  [[nodiscard]] mmu::WalkResult<Pa> walk(Va va, mmu::AccessKind kind, std::uint32_t state) const;
  [[nodiscard]] std::optional<std::uint64_t> read_table(Pa pa) const;
  [[nodiscard]] const Ram* ram_at(Pa pa) const;
  [[nodiscard]] bool is_device(Pa pa) const;
  [[nodiscard]] std::optional<Pa> fetched(Pa pa);
  void remember_fetch(std::uint64_t va, unsigned el, Pa pa);
  [[nodiscard]] std::optional<std::uint32_t> instruction_at(std::uint64_t pc, unsigned el) const;
  /// The same for pages that were fetched from lately only, without a walk.
  [[nodiscard]] std::optional<std::uint32_t> fetched_at(std::uint64_t pc, unsigned el) const;
  [[nodiscard]] std::optional<std::uint32_t> word_at(Pa pa) const;

  // cpu_exceptions.cpp
  void enter(const Exception& exception, const EnginePosition& from) noexcept;
  void on_interrupt(std::uint32_t number) noexcept;
  void take_immediate(const InterruptRow& row) noexcept;
  void take_pending() noexcept;
  void take_misaligned_pc() noexcept;
  void take_refusal(const Refusal& refusal) noexcept;
  [[nodiscard]] unsigned abort_target(const Refusal& refusal, unsigned el) const;
  [[nodiscard]] static std::uint64_t fault_address(const Refusal& refusal, std::uint64_t pc,
                                                   const std::optional<LoadStore>& access);
  void watch_for_wedge(std::uint64_t vector, const Exception& exception) noexcept;

  // system_registers.cpp
  [[nodiscard]] std::optional<std::uint64_t> overlay(SysReg id) noexcept;

  // cpu_count.cpp
  void on_block(std::uint64_t address, std::uint32_t size) noexcept;
  [[nodiscard]] bool ends_before(std::uint64_t address, std::uint64_t count) noexcept;
  void pause(std::uint64_t address) noexcept;
  void refuse_misaligned(std::uint64_t address) noexcept;
  void end_at_block(StopReason reason, std::uint64_t address) noexcept;
  void end(StopReason reason) noexcept;
  void account_block(std::uint64_t count, std::uint64_t left_at) noexcept;
  void drop_tail(std::uint64_t pc) noexcept;
  [[nodiscard]] std::uint64_t instructions_at(std::uint64_t pc) const noexcept;

  // cpu_watched.cpp
  void on_code(std::uint64_t address) noexcept;
  void leave_block(std::uint64_t left_at, std::uint64_t go_on_at) noexcept;

  // cpu_until.cpp
  void set_until(const Until& until);
  void watch_blocks() noexcept;
  [[nodiscard]] std::optional<std::uint64_t> target_in(std::uint64_t address,
                                                       std::uint64_t count) noexcept;
  void split_block();
  void join_block();
  [[nodiscard]] bool splits_at(std::uint64_t address) const noexcept;
  void on_split(std::uint64_t address) noexcept;
  void uncount_hit(std::uint64_t left_at) noexcept;

  Board& board_;
  std::unique_ptr<Engine> engine_;
  std::vector<Ram> ram_;
  std::vector<Window> windows_;

  std::optional<Refusal> refusal_;
  bool identity_ = false;  ///< addresses that the engine asks about are physical
  CodePages code_pages_;
  StoreWatch* store_watch_ = nullptr;
  std::vector<std::span<std::byte>> aliases_;  ///< of RAM, one for each name but the first
  std::array<FetchPage, 256> fetch_pages_{};

  std::uint64_t instructions_ = 0;
  std::uint64_t el2_instructions_ = 0;
  std::uint64_t budget_ = 0;
  std::uint64_t watched_from_ = 0;  ///< blocks that go beyond are looked at; at most the budget
  std::uint64_t block_start_ = 0;
  std::uint64_t block_end_ = 0;
  unsigned block_el_ = 0;
  std::atomic<bool> stop_requested_ = false;
  bool engine_aborted_ = false;  ///< abort_guard.h; only its registers can still be read
  bool counts_blocks_by_el_ = false;
  Watch watch_;
  std::optional<StopReason> stop_reason_;
  std::optional<std::uint64_t> paused_at_;  ///< where the engine was told to stop
  std::string stop_detail_;

  /// A block that has to be left in its middle: translated anew with a hook at that instruction.
  struct Split {
    std::uint64_t block = 0;
    std::uint64_t size = 0;
    std::uint64_t at = 0;
    bool armed = false;  ///< it is translated anew
  };
  Until until_;
  bool hit_counted_ = false;  ///< for the block that was begun last
  bool stop_at_block_ = false;
  bool told_now_ = false;  ///< the board is being told
  bool memory_changed_ = false;
  std::optional<Split> split_;
  std::size_t split_hook_ = 0;  ///< the engine's

  /// The execution of a watched instruction that the board was told of last.
  struct Told {
    std::uint64_t address = 0;
    std::uint64_t instructions = 0;
    bool operator==(const Told&) const = default;
  };
  std::optional<Told> told_;
  std::optional<std::uint64_t> moved_to_;

  /// For StopReason::wedged.
  std::uint64_t entered_vector_ = 0;
  unsigned faults_in_vector_ = 0;
};

}  // namespace pkvmemu::cpu
