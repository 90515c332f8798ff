// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/system_trap.h"

#include <array>

#include "hyp/vm/injection.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

using arch::Sysreg;

// ISS of a trapped MSR, MRS (Arm ARM D17.2.37): Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10,
// Rt 9:5, CRm 4:1, bit 0 set for a read.
constexpr std::uint64_t encoding(unsigned op0, unsigned op1, unsigned crn, unsigned crm,
                                 unsigned op2) {
  return std::uint64_t{op0} << 20 | std::uint64_t{op2} << 17 | std::uint64_t{op1} << 14 |
         std::uint64_t{crn} << 10 | std::uint64_t{crm} << 1;
}
constexpr std::uint64_t encoding_mask = encoding(3, 7, 15, 15, 7);
constexpr std::uint64_t iss_read = 1;
constexpr unsigned zero_register = 31;

struct Row {
  std::uint64_t encoding;
  std::uint64_t (*read)();
  std::uint64_t allowed;  ///< fields that the guest is shown; the others read as 0
};

constexpr std::uint64_t fields(std::initializer_list<unsigned> shifts) {
  std::uint64_t mask = 0;
  for (const unsigned shift : shifts)
    mask |= std::uint64_t{0xF} << shift;
  return mask;
}

/// What of each ID register a protected guest may know (Arm ARM D17.2, ID_AA64*): FP and AdvSIMD,
/// EL0 and EL1, cryptography, atomics, pointer authentication, and what translation tables need.
constexpr auto rows = std::to_array<Row>({
    {encoding(3, 0, 0, 4, 0), arch::read<Sysreg::id_aa64pfr0_el1>, fields({0, 4, 16, 20, 56, 60})},
    {encoding(3, 0, 0, 4, 1), arch::read<Sysreg::id_aa64pfr1_el1>, fields({0, 4})},
    {encoding(3, 0, 0, 5, 0), arch::read<Sysreg::id_aa64dfr0_el1>, fields({0})},
    {encoding(3, 0, 0, 6, 0), arch::read<Sysreg::id_aa64isar0_el1>, ~std::uint64_t{0}},
    {encoding(3, 0, 0, 6, 1), arch::read<Sysreg::id_aa64isar1_el1>, ~std::uint64_t{0}},
    {encoding(3, 0, 0, 7, 0), arch::read<Sysreg::id_aa64mmfr0_el1>, fields({0, 4, 8, 20, 24, 28})},
    {encoding(3, 0, 0, 7, 1), arch::read<Sysreg::id_aa64mmfr1_el1>, fields({0, 4, 12, 20})},
    {encoding(3, 0, 0, 7, 2), arch::read<Sysreg::id_aa64mmfr2_el1>, fields({0, 4, 12, 32})},
});

/// ID registers are Op0 3, Op1 0, CRn 0, CRm 1 to 7; those without a row read as 0.
bool is_id_register(std::uint64_t wanted) {
  constexpr std::uint64_t group = encoding(3, 7, 15, 0, 0);
  return (wanted & group) == encoding(3, 0, 0, 0, 0);
}

std::uint64_t shown_value(std::uint64_t wanted) {
  for (const Row& row : rows)
    if (row.encoding == wanted) return row.read() & row.allowed;
  return 0;
}

}  // namespace

void emulate_system_register(Vcpu& vcpu, std::uint64_t esr) {
  constexpr std::uint64_t actlr_el1 = encoding(3, 0, 1, 0, 1);
  const std::uint64_t wanted = esr & encoding_mask;
  const bool is_read = (esr & iss_read) != 0;
  const bool id_read = is_read && is_id_register(wanted);
  if (!id_read && wanted != actlr_el1) {
    inject_undefined(vcpu);
    return;
  }
  const auto reg = static_cast<unsigned>(bits(esr, 9, 5));
  if (is_read && reg != zero_register) vcpu.context.general.regs[reg] = shown_value(wanted);
  vcpu.context.general.pc += 4;
}

}  // namespace pkvmemu::hyp
