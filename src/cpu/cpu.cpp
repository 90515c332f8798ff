// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/cpu.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "cpu/abort_guard.h"
#include "cpu/engine.h"
#include "cpu/system_registers.h"

namespace pkvmemu::cpu {
namespace {

/// SCR_EL3 of firmware that starts a hypervisor: Non-secure, HVC on, AArch64 below, nothing trapped
/// to EL3 (RES1, NS, HCE, RW, APK, API).
constexpr std::uint64_t scr_el3 = bit(0) | bit(4) | bit(5) | bit(8) | bit(10) | bit(16) | bit(17);

mmu::AccessKind kind_of(uc_mem_type type) {
  if (type == UC_MEM_FETCH) return mmu::AccessKind::execute;
  return type == UC_MEM_WRITE ? mmu::AccessKind::write : mmu::AccessKind::read;
}

/// IC IALLUIS, IC IALLU, IC IVAU (Arm ARM C5.3).
bool is_instruction_cache_operation(const uc_arm64_cp_reg& id) {
  if (id.op0 != 1 || id.crn != 7) return false;
  const bool all = id.op1 == 0 && (id.crm == 1 || id.crm == 5) && id.op2 == 0;
  const bool by_address = id.op1 == 3 && id.crm == 5 && id.op2 == 1;
  return all || by_address;
}

constexpr std::uint64_t no_begin = 1;
constexpr std::uint64_t no_end = 0;  ///< hooks with begin > end see every address

}  // namespace

/// Here and not with its kin (cpu_count.cpp), so that it becomes part of the hook: it runs once for
/// each block of the guest's.
inline void Cpu::on_block(std::uint64_t address, std::uint32_t size) noexcept {
  const std::uint64_t count = size / instruction_size;
  if (address % instruction_size != 0) [[unlikely]]
    return refuse_misaligned(address);
  if (instructions_ + count > watched_from_) [[unlikely]]
    if (ends_before(address, count)) return;
  if (stop_requested_.load(std::memory_order_relaxed)) [[unlikely]]
    return end_at_block(StopReason::requested, address);
  const std::uint64_t left_at = block_end_;
  instructions_ += count;
  block_start_ = address;
  block_end_ = address + size;
  if (counts_blocks_by_el_) [[unlikely]]
    account_block(count, left_at);
}

/// The engine's callbacks: C functions, from which no exception may escape.
struct EngineHooks {
  static Cpu& self(void* user) { return *static_cast<Cpu*>(user); }

  static void interrupt(uc_engine*, std::uint32_t number, void* user) noexcept {
    self(user).on_interrupt(number);
  }
  static void block(uc_engine*, std::uint64_t address, std::uint32_t size, void* user) noexcept {
    self(user).on_block(address, size);
  }
  static void split(uc_engine*, std::uint64_t address, std::uint32_t, void* user) noexcept {
    self(user).on_split(address);
  }
  static void code(uc_engine*, std::uint64_t address, std::uint32_t, void* user) noexcept {
    self(user).on_code(address);
  }
  static bool tlb_fill(uc_engine*, std::uint64_t va, uc_mem_type type, uc_tlb_entry* entry,
                       void* user) noexcept {
    return self(user).fill(va, kind_of(type), entry);
  }
  static std::uint32_t mrs(uc_engine*, uc_arm64_reg rt, const uc_arm64_cp_reg* id,
                           void* user) noexcept {
    Cpu& cpu = self(user);
    const auto value = cpu.overlay(sys_reg(id->op0, id->op1, id->crn, id->crm, id->op2));
    if (!value) return 0;
    cpu.engine_->set(rt, *value);
    return 1;
  }
  /// TLBI: the engine would drop one KiB of a page where the architecture drops all of it, and does
  /// not know stage 2. Dropping everything is allowed. IC: the engine takes it for nothing.
  static std::uint32_t sys(uc_engine* engine, uc_arm64_reg, const uc_arm64_cp_reg* id,
                           void* user) noexcept {
    const bool tlbi = id->op0 == 1 && id->crn == 8;
    const bool ic = is_instruction_cache_operation(*id) && self(user).code_pages_.invalidate();
    if (tlbi || ic) Engine::check(uc_ctl_flush_tlb(engine));
    return 0;
  }
  static std::uint64_t mmio_read(uc_engine*, std::uint64_t offset, unsigned size,
                                 void* user) noexcept {
    return static_cast<MmioWindow*>(user)->read(offset, size);
  }
  static void mmio_write(uc_engine*, std::uint64_t offset, unsigned size, std::uint64_t value,
                         void* user) noexcept {
    static_cast<MmioWindow*>(user)->write(offset, size, value);
  }
};

Result<std::unique_ptr<Cpu>> Cpu::create(Board& board) {
  auto engine = Engine::open();
  if (!engine) return std::unexpected(engine.error());
  std::unique_ptr<Cpu> cpu(new Cpu(board, std::make_unique<Engine>(std::move(*engine))));
  cpu->install_hooks();
  cpu->set_reset_state();
  return cpu;
}

Cpu::Cpu(Board& board, std::unique_ptr<Engine> engine)
    : board_(board), engine_(std::move(engine)) {}

Cpu::~Cpu() {
  // An engine that aborted may abort again when it is closed; better it leaks than that.
  if (!survives_abort([this] { engine_->close(); })) engine_->abandon();
  for (const std::span<std::byte> alias : aliases_)
    ::munmap(alias.data(), alias.size());
}

/// The block is about to begin, so it is found by its address. The engine heeds a hook only where
/// it translates after that was added.
void Cpu::split_block() {
  const Split wanted = *split_;
  join_block();
  Engine::check(uc_ctl_remove_cache(engine_->raw(), wanted.block, wanted.block + wanted.size));
  Engine::check(uc_hook_add(engine_->raw(), &split_hook_, UC_HOOK_CODE,
                            reinterpret_cast<void*>(&EngineHooks::split), this, wanted.at,
                            wanted.at));
  split_ = wanted;
  split_->armed = true;
}

void Cpu::install_hooks() {
  uc_engine* const raw = engine_->raw();
  const auto add = [&](int type, auto* callback, auto... rest) {
    uc_hook handle = 0;
    Engine::check(uc_hook_add(raw, &handle, type, reinterpret_cast<void*>(callback), this, no_begin,
                              no_end, rest...));
  };
  add(UC_HOOK_INTR, &EngineHooks::interrupt);
  add(UC_HOOK_BLOCK, &EngineHooks::block);
  add(UC_HOOK_TLB_FILL, &EngineHooks::tlb_fill);
  add(UC_HOOK_INSN, &EngineHooks::mrs, static_cast<int>(UC_ARM64_INS_MRS));
  add(UC_HOOK_INSN, &EngineHooks::sys, static_cast<int>(UC_ARM64_INS_SYS));
}

void Cpu::watch_code(std::uint64_t address) {
  uc_hook handle = 0;
  Engine::check(uc_hook_add(engine_->raw(), &handle, UC_HOOK_CODE,
                            reinterpret_cast<void*>(&EngineHooks::code), this, address, address));
  // The engine heeds a hook only where it translates after that was added. What cannot be reached
  // from here was not run by this level yet.
  const std::optional<Pa> pa = physical(Va{address});
  if (!pa || ram_at(*pa) == nullptr) return;
  drop_translations(*pa);
  Engine::check(uc_ctl_flush_tlb(engine_->raw()));
}

/// EL2h, everything masked, MMU off: as the arm64 boot protocol and QEMU enter a hypervisor. The
/// architecture leaves the flags open; QEMU starts with Z set.
void Cpu::set_reset_state() {
  engine_->set_pstate(pstate::handler_mode(2) | pstate::zero);
  engine_->set(reg::scr_el3, scr_el3);
  engine_->set(reg::cpacr_el1, 0);  // the engine starts with FP untrapped
  engine_->set(reg::cntfrq_el0, counter_frequency);
  engine_->set(reg::pmcr_el0, 0);  // no event counters: the engine would visit each at every ERET
}

void Cpu::power_up(Pa entry, std::uint64_t x0) noexcept {
  constexpr std::uint64_t unknown = 0x0bad'0bad'0bad'0ba0;
  constexpr std::array lost{reg::mair_el2, reg::tcr_el2,   reg::ttbr0_el2, reg::vtcr_el2,
                            reg::mair_el1, reg::ttbr0_el1, reg::ttbr1_el1};
  constexpr std::uint64_t sctlr_el2_off = 0x30c5'0830;  // RES1
  constexpr std::uint64_t sctlr_el1_off = 0x30d0'0800;
  constexpr unsigned general_registers = 31;

  Engine::check(uc_ctl_flush_tlb(engine_->raw()));
  for (unsigned index = 0; index < general_registers; ++index)
    set_x(index, index == 0 ? x0 : unknown);
  for (const unsigned el : {1U, 2U})
    engine_->set(vbar_by_el.at(el), unknown & ~std::uint64_t{0x7ff});
  engine_->set(sp_by_el.at(0), unknown);
  engine_->set(sp_by_el.at(1), unknown);
  for (const SysReg id : lost)
    engine_->set(id, unknown);
  engine_->set(reg::tcr_el1, 0);
  engine_->set(reg::vttbr_el2, 0);
  engine_->set(reg::mdcr_el2, 0);
  engine_->set(reg::sctlr_el1, sctlr_el1_off);
  set_pc(entry.value);
  set_reset_state();
  engine_->set(reg::hcr_el2, 0);
  engine_->set(reg::sctlr_el2, sctlr_el2_off);
  block_el_ = 2;
}

Result<void> Cpu::map_ram(Pa base, std::span<std::byte> memory) {
  if (const uc_err status =
          uc_mem_map_ptr(engine_->raw(), base.value, memory.size(), UC_PROT_ALL, memory.data());
      status != UC_ERR_OK)
    return fail("{} bytes of RAM at {:#x}: {}", memory.size(), base.value, uc_strerror(status));
  ram_.push_back({.base = base, .memory = memory});
  code_pages_.add_ram(base, memory.size());
  return {};
}

Result<void> Cpu::map_mmio(Pa base, std::uint64_t size, MmioWindow& window) {
  if (const uc_err status = uc_mmio_map(engine_->raw(), base.value, size, &EngineHooks::mmio_read,
                                        &window, &EngineHooks::mmio_write, &window);
      status != UC_ERR_OK)
    return fail("device window of {} bytes at {:#x}: {}", size, base.value, uc_strerror(status));
  windows_.push_back({.base = base, .size = size, .handler = &window});
  return {};
}

Stop Cpu::run(std::uint64_t budget, const Until& until) {
  budget_ = budget;
  set_until(until);
  stop_reason_.reset();
  stop_detail_.clear();
  if (!engine_aborted_) engine_aborted_ = !survives_abort([this] { run_engine(); });
  if (!engine_aborted_) join_block();
  if (engine_aborted_) {
    stop_reason_ = StopReason::engine_error;
    stop_detail_ = fmt::format("the CPU engine aborted on guest code near {:#x}", pc());
  }
  return {.reason = stop_reason_.value_or(StopReason::engine_error), .detail = stop_detail_};
}

void Cpu::run_engine() {
  while (!stop_reason_) {
    refusal_.reset();
    block_start_ = block_end_ = 0;
    const uc_err status = uc_emu_start(engine_->raw(), pc(), no_end, 0, 0);
    const bool paused = paused_at_.has_value();
    if (paused) set_pc(*std::exchange(paused_at_, {}));
    const bool wanted_name = code_pages_.wants_name();
    if (wanted_name) rename_code();
    if (stop_reason_) return;
    if (paused && pc() % instruction_size != 0) {
      take_misaligned_pc();
    } else if (split_ && !split_->armed) {
      split_block();
    } else if (paused || (wanted_name && !refusal_)) {
      continue;  // there, or with the fetch that asked for the name
    } else if (status == UC_ERR_OK) {
      stop_reason_ = StopReason::halted;
    } else if (refusal_) {
      take_refusal(*refusal_);
    } else {
      stop_reason_ = StopReason::engine_error;
      stop_detail_ = uc_strerror(status);
    }
  }
}

/// Another name for all of RAM: the same pages at another place in our memory, which is what the
/// engine knows code by. Where that cannot be had, the translations of the page that wants it go.
void Cpu::rename_code() {
  if (code_pages_.names() < CodePages::most_names && map_another_name()) {
    code_pages_.name_added();
  } else {
    drop_translations(*code_pages_.wanting());
    code_pages_.dropped();
  }
  Engine::check(uc_ctl_flush_tlb(engine_->raw()));
}

/// The engine finds translations by virtual address: for a moment those are physical ones.
void Cpu::drop_translations(Pa pa) {
  identity_ = true;
  for (unsigned name = 0; name < code_pages_.names(); ++name) {
    const std::uint64_t page = align_down(pa.value, page_size) + name * CodePages::stride;
    Engine::check(uc_ctl_flush_tlb(engine_->raw()));
    Engine::check(uc_ctl_remove_cache(engine_->raw(), page, page + page_size));
  }
  identity_ = false;
}

bool Cpu::map_another_name() {
  const std::uint64_t offset = code_pages_.names() * CodePages::stride;
  return std::ranges::all_of(ram_, [&](const Ram& ram) { return map_again(ram, offset); });
}

bool Cpu::map_again(const Ram& ram, std::uint64_t offset) {
  // With an old size of 0 a shared mapping is doubled (mremap(2)).
  void* const alias = mremap(ram.memory.data(), 0, ram.memory.size(), MREMAP_MAYMOVE);
  if (alias == MAP_FAILED) return false;
  aliases_.emplace_back(static_cast<std::byte*>(alias), ram.memory.size());
  return uc_mem_map_ptr(engine_->raw(), ram.base.value + offset, ram.memory.size(),
                        UC_PROT_READ | UC_PROT_EXEC, alias) == UC_ERR_OK;
}

std::uint64_t Cpu::x(unsigned index) const {
  return engine_->get(Engine::general(index));
}
void Cpu::set_x(unsigned index, std::uint64_t value) {
  engine_->set(Engine::general(index), value);
}
std::uint64_t Cpu::sp() const {
  return engine_->get(UC_ARM64_REG_SP);
}
std::uint64_t Cpu::pc() const {
  if (told_now_) return moved_to_.value_or(told_->address);
  return engine_->get(UC_ARM64_REG_PC);
}
void Cpu::set_pc(std::uint64_t value) {
  if (told_now_)
    moved_to_ = value;
  else
    engine_->set(UC_ARM64_REG_PC, value);
}
unsigned Cpu::el() const {
  return pstate::el(engine_->pstate());
}
std::uint32_t Cpu::pstate() const {
  return engine_->pstate();
}

}  // namespace pkvmemu::cpu
