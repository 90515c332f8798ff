// SPDX-License-Identifier: GPL-2.0-only
// One decoded AArch64 instruction, as far as a reader of code wants to know it: what it moves
// where, where it goes next, and which registers are no longer what they were. Independent of the
// disassembler that fills it in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace pkvmemu::code {

/// A general register, whatever its width: 0 to 30, the stack pointer, or the zero register.
struct Register {
  std::uint8_t number = zero_number;

  static constexpr std::uint8_t sp_number = 31;
  static constexpr std::uint8_t zero_number = 32;
  static constexpr std::size_t count = 33;

  [[nodiscard]] constexpr bool is_zero() const { return number == zero_number; }
  [[nodiscard]] constexpr bool is_sp() const { return number == sp_number; }
  constexpr bool operator==(const Register&) const = default;
};

enum class Operation : std::uint8_t {
  other,        ///< only `written` is known
  invalid,      ///< no instruction
  move,         ///< transfer[0] = source
  add,          ///< transfer[0] = source + immediate (SUB: negative)
  select,       ///< transfer[0] = source or other (CSEL)
  address,      ///< ADR, ADRP: transfer[0] = immediate
  load,         ///< transfer[0], for a pair transfer[1] too, from memory
  store,        ///< the same into memory
  branch,       ///< to `target`
  conditional,  ///< to `target` or on
  call,         ///< BL to `target`
  jump_register,
  call_register,
  ret,
  trap,  ///< BRK, UDF, HLT: nothing comes after it
};

/// Where a load or store goes.
struct MemoryOperand {
  enum class Writeback : std::uint8_t { none, before, after };
  Register base;
  std::optional<Register> index;
  std::int64_t offset = 0;
  Writeback writeback = Writeback::none;
};

struct Instruction {
  Operation operation = Operation::invalid;
  std::uint64_t address = 0;
  std::uint32_t word = 0;
  std::array<Register, 2> transfer{};
  std::uint8_t transfer_count = 0;
  std::uint8_t access_size = 0;  ///< bytes of each register that a load or store moves
  Register source;               ///< of move, add, and of branches and calls to a register
  Register other;                ///< of select
  std::int64_t immediate = 0;
  std::uint64_t target = 0;
  MemoryOperand memory;
  /// Bit n: Xn (or Wn) is overwritten; bit 31: SP.
  std::uint32_t written = 0;

  [[nodiscard]] constexpr bool writes(Register which) const {
    return which.number < 32 && (written >> which.number & 1U) != 0;
  }
};

}  // namespace pkvmemu::code
