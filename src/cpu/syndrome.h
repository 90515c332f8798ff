// SPDX-License-Identifier: GPL-2.0-only
// ESR_ELx: exception classes and how each is composed (Arm ARM D19.2.37, ESR_EL2). One table says
// how the engine's interrupt numbers become architectural exceptions.
#pragma once

#include <array>
#include <cstdint>

#include "support/bits.h"

namespace pkvmemu::cpu {

/// ESR_ELx.EC. The plain names of aborts mean "from a lower exception level".
enum class ExceptionClass : std::uint8_t {
  unknown = 0x00,
  wfi_wfe = 0x01,
  fp_simd = 0x07,
  illegal_state = 0x0e,
  svc64 = 0x15,
  hvc64 = 0x16,
  smc64 = 0x17,
  system_register = 0x18,
  instruction_abort = 0x20,
  instruction_abort_same = 0x21,
  pc_alignment = 0x22,
  data_abort = 0x24,
  data_abort_same = 0x25,
  sp_alignment = 0x26,
  brk64 = 0x3c,
};

inline constexpr std::uint64_t esr_il = bit(25);  ///< a 32-bit instruction; AArch64 has no other

constexpr std::uint64_t syndrome(ExceptionClass ec, std::uint64_t iss) {
  return static_cast<std::uint64_t>(ec) << 26 | esr_il | (iss & low_mask(25));
}
constexpr ExceptionClass class_of(std::uint64_t esr) {
  return static_cast<ExceptionClass>(bits(esr, 31, 26));
}

/// ISS of instruction and data aborts.
namespace iss {
inline constexpr std::uint64_t write = bit(6);        ///< WnR
inline constexpr std::uint64_t stage1_walk = bit(7);  ///< S1PTW
inline constexpr std::uint64_t acquire_release = bit(14);
inline constexpr std::uint64_t sixty_four = bit(15);   ///< SF
inline constexpr unsigned register_shift = 16;         ///< SRT
inline constexpr std::uint64_t sign_extend = bit(21);  ///< SSE
inline constexpr unsigned size_shift = 22;             ///< SAS
inline constexpr std::uint64_t valid = bit(24);        ///< ISV
/// DFSC and IFSC of a synchronous external abort that is not on a table walk.
inline constexpr std::uint64_t external_abort = 0b01'0000;
}  // namespace iss

/// What an interrupt number of the engine stands for, and where its syndrome comes from.
enum class SyndromeSource : std::uint8_t {
  immediate,  ///< the 16-bit immediate of the instruction, bits 20:5
  pending,    ///< the syndrome that the engine has ready (pending_syndrome.h)
  monitor,    ///< none: the EL3 monitor answers
};
/// Where ELR_ELx points (Arm ARM D1.3.2).
enum class PreferredReturn : std::uint8_t { this_instruction, next_instruction };

struct InterruptRow {
  std::uint32_t number;  ///< of the engine's interrupt hook
  SyndromeSource source;
  ExceptionClass ec;
  PreferredReturn engine_pc;  ///< where the engine's PC stands when it reports
  std::uint8_t lowest_target;
};

// Measured on Unicorn 2.1.1.
inline constexpr std::array interrupt_rows{
    // Undefined, or trapped to EL2 (system registers, WFI, WFE, FP): the engine knows which.
    InterruptRow{1, SyndromeSource::pending, ExceptionClass::unknown,
                 PreferredReturn::this_instruction, 1},
    InterruptRow{2, SyndromeSource::immediate, ExceptionClass::svc64,
                 PreferredReturn::next_instruction, 1},
    // Aborts that do not come from translation: alignment.
    InterruptRow{3, SyndromeSource::pending, ExceptionClass::instruction_abort,
                 PreferredReturn::this_instruction, 1},
    InterruptRow{4, SyndromeSource::pending, ExceptionClass::data_abort,
                 PreferredReturn::this_instruction, 1},
    InterruptRow{7, SyndromeSource::pending, ExceptionClass::brk64,
                 PreferredReturn::this_instruction, 1},
    InterruptRow{11, SyndromeSource::immediate, ExceptionClass::hvc64,
                 PreferredReturn::next_instruction, 2},
    // SMC under HCR_EL2.TSC.
    InterruptRow{12, SyndromeSource::pending, ExceptionClass::smc64,
                 PreferredReturn::this_instruction, 2},
    InterruptRow{13, SyndromeSource::monitor, ExceptionClass::smc64,
                 PreferredReturn::next_instruction, 3},
};

constexpr const InterruptRow* find_interrupt(std::uint32_t number) {
  for (const InterruptRow& row : interrupt_rows)
    if (row.number == number) return &row;
  return nullptr;
}

}  // namespace pkvmemu::cpu
