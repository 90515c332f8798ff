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
  wedged,        ///< exception upon exception at the exception vector, without progress
  engine_error,  ///< the engine gave up: its bug or ours; the CPU runs no more
};

struct Stop {
  StopReason reason = StopReason::board;
  std::string detail;
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
  /// The instruction at an address of watch_code() is about to run; stop() is before it.
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
  Stop run(std::uint64_t budget);
  /// From a Board callback: run() returns here, before the next instruction.
  void stop() noexcept;
  /// From a signal handler or another thread: run() returns at the next block.
  void request_stop() noexcept { stop_requested_.store(true, std::memory_order_relaxed); }

  void watch(Watch wanted) noexcept;
  /// Tells the board whenever the instruction at `address` is about to run, at any exception level.
  /// From a callback or before the first run; code that has run already is not told of.
  void watch_code(std::uint64_t address);

  /// Instructions completed. Exact between instructions; inside an MmioWindow call it includes the
  /// rest of the block.
  [[nodiscard]] std::uint64_t instructions() const { return instructions_; }
  /// Those of EL2 while Watch::el2_count or Watch::returns was set.
  [[nodiscard]] std::uint64_t el2_instructions() const { return el2_instructions_; }

  /// From Board::secure_monitor_call: the CPU was off, and is at EL2 with x0, MMU and caches off.
  /// All that the architecture leaves unknown has values that nobody can mean.
  void power_up(Pa entry, std::uint64_t x0) noexcept;

  [[nodiscard]] std::uint64_t x(unsigned index) const;
  void set_x(unsigned index, std::uint64_t value);
  [[nodiscard]] std::uint64_t sp() const;
  [[nodiscard]] std::uint64_t pc() const;
  void set_pc(std::uint64_t value);
  [[nodiscard]] unsigned el() const;
  [[nodiscard]] std::uint32_t pstate() const;
  /// Where a read of `va` would go now, by the registers and tables of the current level; nothing
  /// when it would fault.
  [[nodiscard]] std::optional<Pa> physical(Va va) const;

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
  [[nodiscard]] bool map_another_name();
  [[nodiscard]] bool map_again(const Ram& ram, std::uint64_t offset);

  // cpu_fill.cpp
  bool fill(std::uint64_t va, mmu::AccessKind kind, void* entry) noexcept;
  [[nodiscard]] mmu::WalkResult<Pa> walk(Va va, mmu::AccessKind kind, std::uint32_t state) const;
  [[nodiscard]] std::optional<std::uint64_t> read_table(Pa pa) const;
  [[nodiscard]] const Ram* ram_at(Pa pa) const;
  [[nodiscard]] bool is_device(Pa pa) const;
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
  void take_refusal(const Refusal& refusal) noexcept;
  [[nodiscard]] unsigned abort_target(const Refusal& refusal, unsigned el) const;
  [[nodiscard]] static std::uint64_t fault_address(const Refusal& refusal, std::uint64_t pc,
                                                   const std::optional<LoadStore>& access);
  void watch_for_wedge(std::uint64_t vector, const Exception& exception) noexcept;

  // system_registers.cpp
  [[nodiscard]] std::optional<std::uint64_t> overlay(SysReg id) noexcept;

  // cpu_count.cpp
  void on_block(std::uint64_t address, std::uint32_t size) noexcept;
  void on_code(std::uint64_t address) noexcept;
  void end_at_block(StopReason reason) noexcept;
  void end(StopReason reason) noexcept;
  void account_block(std::uint64_t count, std::uint64_t left_at) noexcept;
  void drop_tail(std::uint64_t pc) noexcept;
  [[nodiscard]] std::uint64_t instructions_at(std::uint64_t pc) const noexcept;

  Board& board_;
  std::unique_ptr<Engine> engine_;
  std::vector<Ram> ram_;
  std::vector<Window> windows_;

  std::optional<Refusal> refusal_;
  CodePages code_pages_;
  std::vector<std::span<std::byte>> aliases_;  ///< of RAM, one for each name but the first
  std::array<FetchPage, 256> fetch_pages_{};

  std::uint64_t instructions_ = 0;
  std::uint64_t el2_instructions_ = 0;
  std::uint64_t budget_ = 0;
  std::uint64_t block_start_ = 0;
  std::uint64_t block_end_ = 0;
  unsigned block_el_ = 0;
  std::atomic<bool> stop_requested_ = false;
  bool engine_aborted_ = false;  ///< abort_guard.h; only its registers can still be read
  bool counts_blocks_by_el_ = false;
  Watch watch_;
  std::optional<StopReason> stop_reason_;
  std::string stop_detail_;

  /// For StopReason::wedged.
  std::uint64_t entered_vector_ = 0;
  unsigned faults_in_vector_ = 0;
};

}  // namespace pkvmemu::cpu
