// SPDX-License-Identifier: GPL-2.0-only
// From what the engine reports to an architectural exception, and the entry itself.
#include <array>

#include "cpu/cpu.h"
#include "cpu/engine.h"
#include "cpu/load_store.h"
#include "cpu/pending_syndrome.h"
#include "cpu/syndrome.h"

namespace pkvmemu::cpu {
namespace {

constexpr std::uint64_t hcr_tge = bit(27);
constexpr std::uint64_t hcr_tea = bit(37);
constexpr std::uint64_t tlb_page_mask = 0x3ff;
/// The top byte may be a tag, which the engine strips before it asks for a translation.
constexpr std::uint64_t untagged = low_mask(56);

/// Exceptions that were taken from the vector that the exception before had entered. A handler that
/// faults there loses its own ELR, so no handler means to; this many in a row is a wedged guest.
constexpr unsigned wedged_after = 1000;

bool has_fault_address(std::uint64_t esr) {
  switch (class_of(esr)) {
    case ExceptionClass::instruction_abort:
    case ExceptionClass::instruction_abort_same:
    case ExceptionClass::pc_alignment:
    case ExceptionClass::data_abort:
    case ExceptionClass::data_abort_same:
      return true;
    default:
      return false;
  }
}

ExceptionClass abort_class(bool is_fetch, bool same_level) {
  if (is_fetch)
    return same_level ? ExceptionClass::instruction_abort_same : ExceptionClass::instruction_abort;
  return same_level ? ExceptionClass::data_abort_same : ExceptionClass::data_abort;
}

/// HPFAR_EL2.FIPA.
constexpr std::uint64_t hpfar_of(Ipa ipa) {
  return bits(ipa.value, 51, 12) << 4;
}

}  // namespace

void Cpu::enter(const Exception& exception) noexcept {
  enter(exception, engine_->position());
}

void Cpu::enter(const Exception& exception, const EnginePosition& from) noexcept {
  const unsigned target = exception.target_el;
  const unsigned from_el = pstate::el(from.pstate);
  assert(target >= 1 && target <= 2 && target >= from_el);

  if (exception.far) engine_->set(far_by_el[target], *exception.far);
  if (exception.hpfar) engine_->set(reg::hpfar_el2, *exception.hpfar);
  const std::uint64_t sctlr = target == 1 ? engine_->get(reg::sctlr_el1) : 0;
  const std::uint64_t vector =
      engine_->enter({.from_bank = (from.pstate & pstate::sp_elx) != 0 ? from_el : 0,
                      .target_el = target,
                      .old_sp = from.sp,
                      .elr = exception.elr,
                      .esr = exception.esr,
                      .pstate = pstate_at_entry(from.pstate, target, sctlr),
                      .spsr = from.pstate,
                      .vector_offset = vector_group(from.pstate, target) +
                                       static_cast<std::uint64_t>(exception.type)});

  block_el_ = target;
  watch_for_wedge(vector, exception);
  if (watch_.exceptions)
    board_.exception_entered({.from_el = from_el,
                              .to_el = target,
                              .esr = exception.esr,
                              .far = exception.far.value_or(0),
                              .elr = exception.elr});
}

void Cpu::watch_for_wedge(std::uint64_t vector, const Exception& exception) noexcept {
  const bool from_vector =
      exception.elr - entered_vector_ < vector_size && entered_vector_ == vector;
  faults_in_vector_ = from_vector ? faults_in_vector_ + 1 : 0;
  entered_vector_ = vector;
  if (faults_in_vector_ < wedged_after) return;
  faults_in_vector_ = 0;
  stop_detail_ = fmt::format(
      "{} exceptions in a row at the vector {:#x} of EL{}; ESR {:#x}, FAR {:#x}", wedged_after,
      vector, exception.target_el, exception.esr, exception.far.value_or(0));
  end(StopReason::wedged);
}

void Cpu::on_interrupt(std::uint32_t number) noexcept {
  const InterruptRow* row = find_interrupt(number);
  if (row == nullptr) {
    stop_detail_ = fmt::format("the engine reports interrupt {}, which no rule covers", number);
    return end(StopReason::engine_error);
  }
  switch (row->source) {
    case SyndromeSource::immediate:
      return take_immediate(*row);
    case SyndromeSource::pending:
      return take_pending();
    case SyndromeSource::monitor:
      return board_.secure_monitor_call();
  }
}

/// SVC and HVC: PC is behind the instruction, which holds the syndrome.
void Cpu::take_immediate(const InterruptRow& row) noexcept {
  const EnginePosition now = engine_->position();
  const unsigned from = pstate::el(now.pstate);
  unsigned target = std::max<unsigned>(from, row.lowest_target);
  if (from == 0 && target == 1 && (engine_->get(reg::hcr_el2) & hcr_tge) != 0) target = 2;
  const auto word = instruction_at(now.pc - 4, from);
  enter(
      {.target_el = target, .esr = syndrome(row.ec, word ? bits(*word, 20, 5) : 0), .elr = now.pc},
      now);
}

void Cpu::take_pending() noexcept {
  const PendingSyndrome pending = read_pending_syndrome(*engine_);
  const EnginePosition now = engine_->position();
  drop_tail(now.pc);
  Exception exception{.target_el = pending.target_el, .esr = pending.esr, .elr = now.pc};
  if (pending.target_el > 2) {  // there is no guest at EL3: undefined
    exception.target_el = std::max(1U, pstate::el(now.pstate));
    exception.esr = syndrome(ExceptionClass::unknown, 0);
  }
  if (has_fault_address(exception.esr)) exception.far = pending.far;
  enter(exception, now);
}

/// Arm ARM D1.3.5: before the fetch, and whatever lies there.
void Cpu::take_misaligned_pc() noexcept {
  const EnginePosition now = engine_->position();
  const unsigned from = pstate::el(now.pstate);
  const bool to_el2 = from == 0 && (engine_->get(reg::hcr_el2) & hcr_tge) != 0;
  enter({.target_el = to_el2 ? 2 : std::max(1U, from),
         .esr = syndrome(ExceptionClass::pc_alignment, 0),
         .elr = now.pc,
         .far = now.pc},
        now);
}

/// Arm ARM D1.3.1 and the routing controls of HCR_EL2.
unsigned Cpu::abort_target(const Refusal& refusal, unsigned el) const {
  if (el == 2) return 2;
  if (refusal.fault && refusal.fault->stage == mmu::Stage::two) return 2;
  const std::uint64_t hcr = engine_->get(reg::hcr_el2);
  const bool external = !refusal.fault || refusal.fault->type == mmu::FaultType::external_abort;
  if (external && (hcr & hcr_tea) != 0) return 2;
  return el == 0 && (hcr & hcr_tge) != 0 ? 2 : 1;
}

/// The engine names the page; the instruction names the byte. An access that reaches into the page
/// from the one before faulted at its first byte.
std::uint64_t Cpu::fault_address(const Refusal& refusal, std::uint64_t pc,
                                 const std::optional<LoadStore>& access) {
  if (refusal.kind == mmu::AccessKind::execute) return pc;
  if (!access) return refusal.masked_va;
  const bool same_page = ((access->address ^ refusal.masked_va) & untagged & ~tlb_page_mask) == 0;
  return same_page ? refusal.masked_va | (access->address & tlb_page_mask) : refusal.masked_va;
}

void Cpu::take_refusal(const Refusal& refusal) noexcept {
  const EnginePosition now = engine_->position();
  const std::uint64_t at = now.pc;
  const unsigned from = pstate::el(now.pstate);
  const bool is_fetch = refusal.kind == mmu::AccessKind::execute;
  // A refused fetch ends a block cleanly; anything else leaves one in its middle.
  if (!is_fetch) drop_tail(at);
  if (is_fetch && at % instruction_size != 0) return take_misaligned_pc();

  const unsigned target = abort_target(refusal, from);
  const bool s1ptw = refusal.fault && refusal.fault->s1ptw;
  std::optional<LoadStore> access;
  if (const auto word = is_fetch ? std::nullopt : instruction_at(at, from))
    access = decode_load_store(*word, at,
                               [this](unsigned index) { return index == 31 ? sp() : x(index); });

  std::uint64_t iss = refusal.fault ? refusal.fault->status_code() : iss::external_abort;
  if (s1ptw) iss |= iss::stage1_walk;
  if (refusal.kind == mmu::AccessKind::write) iss |= iss::write;
  // The Arm ARM gives a syndrome of the instruction for stage-2 aborts alone; QEMU, and so the
  // measured ESR of a fault in a handler (0x97c98045), for every data abort that EL2 takes.
  if (target == 2 && !s1ptw && access) iss |= access->instruction_syndrome.value_or(0);

  Exception exception{.target_el = target,
                      .esr = syndrome(abort_class(is_fetch, from == target), iss),
                      .elr = at,
                      .far = fault_address(refusal, at, access)};
  if (refusal.fault && refusal.fault->stage == mmu::Stage::two)
    exception.hpfar = hpfar_of(refusal.fault->ipa);
  enter(exception, now);
}

}  // namespace pkvmemu::cpu
