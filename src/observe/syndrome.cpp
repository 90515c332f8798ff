// SPDX-License-Identifier: GPL-2.0-only
#include "observe/syndrome.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "support/bits.h"

namespace pkvmemu::observe {
namespace {

/// What the kernel's macros and compilers put into BRK.
struct BreakRow {
  std::uint64_t first;
  std::uint64_t last;
  std::string_view text;
};
constexpr std::array break_rows = {
    BreakRow{0x800, 0x800, "a BUG or WARN, which at EL2 are the same"},
    BreakRow{0x8000, 0x83ff,
             "kCFI: a function was called through a pointer, or registered, as another type than "
             "it has"},
};

/// Fault status codes without their level, ESR_ELx.xFSC[5:2].
struct FaultRow {
  std::uint64_t code;
  std::string_view text;
};
constexpr std::array fault_rows = {
    FaultRow{0b0000, "address size fault"},
    FaultRow{0b0001, "translation fault"},
    FaultRow{0b0010, "access flag fault"},
    FaultRow{0b0011, "permission fault"},
};
constexpr std::uint64_t alignment_fault = 0b100001;
constexpr std::uint64_t external_abort = 0b010000;

std::string fault_text(std::uint64_t status) {
  if (status == alignment_fault) return "alignment fault";
  if (status == external_abort) return "external abort: nothing answers there";
  const auto* const row = std::ranges::find(fault_rows, status >> 2, &FaultRow::code);
  if (row == fault_rows.end()) return fmt::format("fault status {:#x}", status);
  return fmt::format("{}, level {}", row->text, status & 3);
}

std::string break_text(std::uint64_t immediate) {
  const auto* const row = std::ranges::find_if(break_rows, [immediate](const BreakRow& each) {
    return each.first <= immediate && immediate <= each.last;
  });
  if (row == break_rows.end()) return fmt::format("BRK #{:#x}", immediate);
  return fmt::format("BRK #{:#x}, {}", immediate, row->text);
}

std::string abort_text(std::string_view access, std::uint64_t esr, std::uint64_t far) {
  constexpr std::uint64_t first_page = 0x1000;
  return fmt::format("{} {:#x}{} ({})", access, far, far < first_page ? ", a null pointer" : "",
                     fault_text(bits(esr, 5, 0)));
}

}  // namespace

std::string syndrome_text(std::uint64_t esr, std::uint64_t far) {
  constexpr unsigned write_not_read = 6;
  const std::uint64_t exception_class = bits(esr, 31, 26);
  switch (exception_class) {
    case ec_unknown:
      return "an instruction that is undefined";
    case ec_instruction_abort:
      return abort_text("execution of", esr, far);
    case ec_data_abort:
      return abort_text(bits(esr, write_not_read, write_not_read) != 0 ? "write to" : "read of",
                        esr, far);
    case ec_pc_alignment:
      return "a jump to an address that is no multiple of 4";
    case ec_sp_alignment:
      return "a stack pointer that is no multiple of 16";
    case ec_brk:
      return break_text(bits(esr, 15, 0));
    default:
      return fmt::format("exception class {:#x}", exception_class);
  }
}

}  // namespace pkvmemu::observe
