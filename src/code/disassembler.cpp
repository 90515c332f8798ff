// SPDX-License-Identifier: GPL-2.0-only
#include "code/disassembler.h"

#include <capstone/capstone.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "code/only_aarch64.h"

namespace pkvmemu::code {
namespace {

struct Kind {
  unsigned id;
  Operation operation;
};

// Loads and stores are recognised by their memory operand; the rest by these rows. What is in no
// row is `other`.
constexpr std::array kinds = {
    Kind{ARM64_INS_MOV, Operation::move},
    Kind{ARM64_INS_ADD, Operation::add},
    Kind{ARM64_INS_SUB, Operation::add},
    Kind{ARM64_INS_CSEL, Operation::select},
    Kind{ARM64_INS_ADR, Operation::address},
    Kind{ARM64_INS_ADRP, Operation::address},
    Kind{ARM64_INS_B, Operation::branch},
    Kind{ARM64_INS_BC, Operation::conditional},
    Kind{ARM64_INS_CBZ, Operation::conditional},
    Kind{ARM64_INS_CBNZ, Operation::conditional},
    Kind{ARM64_INS_TBZ, Operation::conditional},
    Kind{ARM64_INS_TBNZ, Operation::conditional},
    Kind{ARM64_INS_BL, Operation::call},
    Kind{ARM64_INS_BR, Operation::jump_register},
    Kind{ARM64_INS_BRAA, Operation::jump_register},
    Kind{ARM64_INS_BRAB, Operation::jump_register},
    Kind{ARM64_INS_BRAAZ, Operation::jump_register},
    Kind{ARM64_INS_BRABZ, Operation::jump_register},
    Kind{ARM64_INS_BLR, Operation::call_register},
    Kind{ARM64_INS_BLRAA, Operation::call_register},
    Kind{ARM64_INS_BLRAB, Operation::call_register},
    Kind{ARM64_INS_BLRAAZ, Operation::call_register},
    Kind{ARM64_INS_BLRABZ, Operation::call_register},
    Kind{ARM64_INS_RET, Operation::ret},
    Kind{ARM64_INS_RETAA, Operation::ret},
    Kind{ARM64_INS_RETAB, Operation::ret},
    Kind{ARM64_INS_ERET, Operation::ret},
    Kind{ARM64_INS_BRK, Operation::trap},
    Kind{ARM64_INS_UDF, Operation::trap},
    Kind{ARM64_INS_HLT, Operation::trap},
};

/// Instructions whose first operand is read, not written.
constexpr std::array readers = {
    ARM64_INS_CMP,  ARM64_INS_CMN, ARM64_INS_TST, ARM64_INS_CCMP, ARM64_INS_CCMN, ARM64_INS_MSR,
    ARM64_INS_HINT, ARM64_INS_SYS, ARM64_INS_CBZ, ARM64_INS_CBNZ, ARM64_INS_TBZ,  ARM64_INS_TBNZ,
    ARM64_INS_BR,   ARM64_INS_BLR, ARM64_INS_RET, ARM64_INS_PRFM,
};

struct Transfer {
  unsigned id;
  Operation operation;
  std::uint8_t registers;
  std::uint8_t size;  ///< 0: that of the register
};

// Plain moves between memory and general registers. Atomics, exclusives and vectors are `other`.
constexpr std::array transfers = {
    Transfer{ARM64_INS_LDR, Operation::load, 1, 0},
    Transfer{ARM64_INS_LDUR, Operation::load, 1, 0},
    Transfer{ARM64_INS_LDAR, Operation::load, 1, 0},
    Transfer{ARM64_INS_LDAPR, Operation::load, 1, 0},
    Transfer{ARM64_INS_LDP, Operation::load, 2, 0},
    Transfer{ARM64_INS_LDNP, Operation::load, 2, 0},
    Transfer{ARM64_INS_STR, Operation::store, 1, 0},
    Transfer{ARM64_INS_STUR, Operation::store, 1, 0},
    Transfer{ARM64_INS_STLR, Operation::store, 1, 0},
    Transfer{ARM64_INS_STP, Operation::store, 2, 0},
    Transfer{ARM64_INS_STNP, Operation::store, 2, 0},
    Transfer{ARM64_INS_STRB, Operation::store, 1, 1},
    Transfer{ARM64_INS_STURB, Operation::store, 1, 1},
    Transfer{ARM64_INS_STRH, Operation::store, 1, 2},
    Transfer{ARM64_INS_STURH, Operation::store, 1, 2},
};

bool is_wide(arm64_reg reg) {
  return (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28) || reg == ARM64_REG_X29 ||
         reg == ARM64_REG_X30 || reg == ARM64_REG_SP || reg == ARM64_REG_XZR;
}

std::optional<Register> general(unsigned reg) {
  const auto number = [](unsigned value) {
    return Register{.number = static_cast<std::uint8_t>(value)};
  };
  if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28) return number(reg - ARM64_REG_X0);
  if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30) return number(reg - ARM64_REG_W0);
  constexpr unsigned frame = 29;
  constexpr unsigned link = 30;
  if (reg == ARM64_REG_X29) return number(frame);
  if (reg == ARM64_REG_X30) return number(link);
  if (reg == ARM64_REG_SP || reg == ARM64_REG_WSP) return number(Register::sp_number);
  if (reg == ARM64_REG_XZR || reg == ARM64_REG_WZR) return Register{};
  return std::nullopt;
}

void mark_written(Instruction& out, unsigned reg) {
  const auto own = general(reg);
  if (own && !own->is_zero()) out.written |= 1U << own->number;
}

/// More rather than less: a register too many only loses sight of a value.
void collect_written(Instruction& out, const cs_insn& insn, std::span<const cs_arm64_op> operands) {
  const cs_detail& detail = *insn.detail;
  for (const std::uint16_t reg : std::span(detail.regs_write, detail.regs_write_count))
    mark_written(out, reg);
  const bool reads_first = std::ranges::find(readers, insn.id) != readers.end();
  const bool is_store = out.operation == Operation::store;
  // Atomics and exclusives: Capstone's access marks are not all right.
  const bool is_other_access =
      out.operation == Operation::other &&
      std::ranges::find(operands, ARM64_OP_MEM, &cs_arm64_op::type) != operands.end();
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].type != ARM64_OP_REG || is_store || (i == 0 && reads_first)) continue;
    if (i == 0 || is_other_access || (operands[i].access & CS_AC_WRITE) != 0)
      mark_written(out, operands[i].reg);
  }
}

bool set_memory(Instruction& out, const cs_arm64& detail, const cs_arm64_op& operand) {
  const auto base = general(operand.mem.base);
  if (!base) return false;
  out.memory.base = *base;
  out.memory.offset = operand.mem.disp;
  if (operand.mem.index != ARM64_REG_INVALID) out.memory.index = general(operand.mem.index);
  using Writeback = MemoryOperand::Writeback;
  if (!detail.writeback) return true;
  out.memory.writeback = detail.post_index ? Writeback::after : Writeback::before;
  out.written |= 1U << base->number;
  return true;
}

bool set_transfer(Instruction& out, const cs_insn& insn, std::span<const cs_arm64_op> operands) {
  const auto* const row =
      std::ranges::find_if(transfers, [&](const Transfer& own) { return own.id == insn.id; });
  if (row == transfers.end() || operands.size() <= row->registers) return false;
  for (std::uint8_t i = 0; i < row->registers; ++i) {
    const auto reg = operands[i].type == ARM64_OP_REG ? general(operands[i].reg) : std::nullopt;
    if (!reg) return false;
    out.transfer[i] = *reg;
  }
  const cs_arm64_op& where = operands[row->registers];
  if (where.type != ARM64_OP_MEM || !set_memory(out, insn.detail->arm64, where)) return false;
  // Capstone gives the offset of a post-indexed access as an operand of its own.
  if (out.memory.writeback == MemoryOperand::Writeback::after &&
      operands.size() > row->registers + 1U && operands[row->registers + 1U].type == ARM64_OP_IMM)
    out.memory.offset = operands[row->registers + 1U].imm;
  constexpr std::uint8_t word = 4;
  constexpr std::uint8_t doubleword = 8;
  const std::uint8_t register_size = is_wide(operands[0].reg) ? doubleword : word;
  out.access_size = row->size != 0 ? row->size : register_size;
  out.transfer_count = row->registers;
  out.operation = row->operation;
  return true;
}

bool set_arithmetic(Instruction& out, unsigned id, std::span<const cs_arm64_op> operands) {
  const auto reg = [&](std::size_t i) {
    return i < operands.size() && operands[i].type == ARM64_OP_REG && is_wide(operands[i].reg)
               ? general(operands[i].reg)
               : std::nullopt;
  };
  const auto to = reg(0);
  if (!to) return false;
  out.transfer[0] = *to;
  out.transfer_count = 1;
  if (out.operation == Operation::address) {
    if (operands.size() < 2 || operands[1].type != ARM64_OP_IMM) return false;
    out.immediate = operands[1].imm;
    return true;
  }
  const auto from = reg(1);
  if (!from) return false;
  out.source = *from;
  if (out.operation == Operation::move) return operands.size() == 2;
  if (out.operation == Operation::select) {
    out.other = reg(2).value_or(Register{});
    return reg(2).has_value();
  }
  if (operands.size() != 3 || operands[2].type != ARM64_OP_IMM) return false;
  const unsigned shift = operands[2].shift.type == ARM64_SFT_LSL ? operands[2].shift.value : 0;
  const std::int64_t immediate = operands[2].imm << shift;
  out.immediate = id == ARM64_INS_SUB ? -immediate : immediate;
  return true;
}

bool set_branch(Instruction& out, const cs_arm64& detail, std::span<const cs_arm64_op> operands) {
  if (out.operation == Operation::ret || out.operation == Operation::trap) return true;
  if (operands.empty()) return false;
  const cs_arm64_op& first = operands.front();
  const cs_arm64_op& last = operands.back();
  if (out.operation == Operation::jump_register || out.operation == Operation::call_register) {
    const auto reg = first.type == ARM64_OP_REG ? general(first.reg) : std::nullopt;
    if (!reg) return false;
    out.source = *reg;
    return true;
  }
  if (last.type != ARM64_OP_IMM) return false;
  out.target = static_cast<std::uint64_t>(last.imm);
  const bool always =
      detail.cc == ARM64_CC_INVALID || detail.cc == ARM64_CC_AL || detail.cc == ARM64_CC_NV;
  if (out.operation == Operation::branch && !always) out.operation = Operation::conditional;
  return true;
}

bool set_operands(Instruction& out, const cs_insn& insn, std::span<const cs_arm64_op> operands) {
  switch (out.operation) {
    case Operation::move:
    case Operation::add:
    case Operation::select:
    case Operation::address:
      return set_arithmetic(out, insn.id, operands);
    case Operation::other:
      return set_transfer(out, insn, operands);
    default:
      return set_branch(out, insn.detail->arm64, operands);
  }
}

}  // namespace

struct Disassembler::Engine {
  csh handle = 0;
  cs_insn* insn = nullptr;

  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() {
    if (insn != nullptr) cs_free(insn, 1);
    if (handle != 0) cs_close(&handle);
  }

  [[nodiscard]] bool disassemble(std::uint32_t word, std::uint64_t address) const {
    std::array<std::uint8_t, sizeof(word)> bytes{};
    std::memcpy(bytes.data(), &word, sizeof(word));
    const std::uint8_t* at = bytes.data();
    std::size_t size = bytes.size();
    return cs_disasm_iter(handle, &at, &size, &address, insn);
  }
};

Disassembler::Disassembler(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Disassembler::Disassembler(Disassembler&&) noexcept = default;
Disassembler& Disassembler::operator=(Disassembler&&) noexcept = default;
Disassembler::~Disassembler() = default;

Result<Disassembler> Disassembler::create() {
  link_only_aarch64();
  auto engine = std::make_unique<Engine>();
  const cs_err opened = cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &engine->handle);
  if (opened != CS_ERR_OK) return fail("the disassembler does not start: {}", cs_strerror(opened));
  cs_option(engine->handle, CS_OPT_DETAIL, CS_OPT_ON);
  engine->insn = cs_malloc(engine->handle);
  if (engine->insn == nullptr) return fail("the disassembler does not start: no memory");
  return Disassembler(std::move(engine));
}

Instruction Disassembler::decode(std::uint32_t word, std::uint64_t address) const {
  Instruction out;
  out.address = address;
  out.word = word;
  if (!engine_->disassemble(word, address)) return out;
  const cs_insn& insn = *engine_->insn;
  const std::span operands(insn.detail->arm64.operands, insn.detail->arm64.op_count);
  const auto* const kind =
      std::ranges::find_if(kinds, [&](const Kind& row) { return row.id == insn.id; });
  out.operation = kind == kinds.end() ? Operation::other : kind->operation;
  if (!set_operands(out, insn, operands)) {
    Instruction plain;
    plain.operation = Operation::other;
    plain.address = address;
    plain.word = word;
    out = plain;
  }
  collect_written(out, insn, operands);
  return out;
}

std::string Disassembler::text(std::uint32_t word, std::uint64_t address) const {
  if (!engine_->disassemble(word, address)) return fmt::format(".word {:#010x}", word);
  const std::string_view operands = engine_->insn->op_str;
  if (operands.empty()) return engine_->insn->mnemonic;
  return fmt::format("{} {}", engine_->insn->mnemonic, operands);
}

std::string disassembler_version() {
  int major = 0;
  int minor = 0;
  (void)cs_version(&major, &minor);
  return fmt::format("{}.{}", major, minor);
}

}  // namespace pkvmemu::code
