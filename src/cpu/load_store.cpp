// SPDX-License-Identifier: GPL-2.0-only
#include "cpu/load_store.h"

#include <array>

#include "cpu/syndrome.h"
#include "support/bits.h"

namespace pkvmemu::cpu {
namespace {

/// How the address is formed.
enum class Form : std::uint8_t {
  base,             ///< [Xn], or [Xn], #imm with writeback afterwards
  literal,          ///< PC + imm19 * 4
  pair,             ///< [Xn, #imm7 * size]; post-indexed when bits 24:23 are 01
  immediate9,       ///< [Xn, #imm9]; post-indexed when bits 11:10 are 01
  scaled12,         ///< [Xn, #imm12 * size]
  register_offset,  ///< [Xn, Rm, extend #amount]
  authenticated,    ///< [Xn, #S:imm9 * 8]
  data_register,    ///< the whole address is in Rt: DC ZVA
};

/// Whether the group has an instruction syndrome, and how its fields are found.
enum class Iss : std::uint8_t {
  none,
  plain,           ///< size from bits 31:30, sign and width from opc, if not SIMD or writeback
  literal,         ///< size and sign from opc
  ordered,         ///< as plain without sign; always acquire or release
  limited_order,   ///< as ordered, but not reported as acquire or release
  ordered_signed,  ///< as plain, with acquire or release
  pointer,         ///< 64-bit load, if without writeback
};

struct Row {
  std::uint32_t mask;
  std::uint32_t value;
  Form form;
  Iss iss;
};

// Arm ARM C4.1.94, most specific first.
constexpr std::array rows{
    Row{0x3fa0'8000, 0x0880'8000, Form::base, Iss::ordered},               // LDAR, STLR
    Row{0x3fa0'8000, 0x0880'0000, Form::base, Iss::limited_order},         // LDLAR, STLLR
    Row{0x3f00'0000, 0x0800'0000, Form::base, Iss::none},                  // exclusives, CAS, CASP
    Row{0xbe00'0000, 0x0c00'0000, Form::base, Iss::none},                  // LD1..LD4, ST1..ST4
    Row{0x3f20'0c00, 0x1900'0000, Form::immediate9, Iss::ordered_signed},  // LDAPUR, STLUR
    Row{0x3b00'0000, 0x1800'0000, Form::literal, Iss::literal},            // LDR (literal)
    Row{0x3a00'0000, 0x2800'0000, Form::pair, Iss::none},     // LDP, STP, LDNP, STNP, LDPSW
    Row{0x3fff'fc00, 0x38bf'c000, Form::base, Iss::ordered},  // LDAPR
    Row{0x3b20'0c00, 0x3820'0000, Form::base, Iss::none},     // LDADD, SWP, ...
    Row{0xff20'0400, 0xf820'0400, Form::authenticated, Iss::pointer},  // LDRAA, LDRAB
    Row{0x3b20'0000, 0x3800'0000, Form::immediate9, Iss::plain},  // LDUR, LDTR, pre and post index
    Row{0x3b20'0c00, 0x3820'0800, Form::register_offset, Iss::plain},
    Row{0x3b00'0000, 0x3900'0000, Form::scaled12, Iss::plain},
    Row{0xffff'ffe0, 0xd50b'7420, Form::data_register, Iss::none},  // DC ZVA
};

class Decoder {
 public:
  Decoder(std::uint32_t instruction, std::uint64_t pc, const RegisterReader& read_register)
      : word_(instruction), pc_(pc), read_(read_register) {}

  [[nodiscard]] std::uint64_t address(Form form) const {
    switch (form) {
      case Form::base:
        return base();
      case Form::literal:
        return pc_ + immediate(23, 5) * 4;
      case Form::pair:
        return field(24, 23) == 1 ? base() : base() + (immediate(21, 15) << pair_scale());
      case Form::immediate9:
        return is_post_indexed() ? base() : base() + immediate(20, 12);
      case Form::scaled12:
        return base() + (std::uint64_t{field(21, 10)} << scale());
      case Form::register_offset:
        return base() + (extended_index() << (field(12, 12) != 0 ? scale() : 0));
      case Form::authenticated:
        return base() +
               (static_cast<std::uint64_t>(sign_extend(field(22, 22) << 9 | field(20, 12), 10))
                << 3);
      case Form::data_register:
        return field(4, 0) == 31 ? 0 : read_(field(4, 0));
    }
    return 0;
  }

  [[nodiscard]] std::optional<std::uint64_t> instruction_syndrome(Iss kind) const {
    switch (kind) {
      case Iss::none:
        return std::nullopt;
      case Iss::plain:
        if (is_simd() || has_writeback()) return std::nullopt;
        return iss_of(size(), opc());
      case Iss::literal:
        if (is_simd()) return std::nullopt;
        return iss_of(2 + (field(31, 30) & 1), field(31, 30) == 2 ? 2 : 1);
      case Iss::ordered:
        return iss_of(size(), 1) | iss::acquire_release;
      case Iss::limited_order:
        return iss_of(size(), 1);
      case Iss::ordered_signed:
        return iss_of(size(), opc()) | iss::acquire_release;
      case Iss::pointer:
        if (field(11, 11) != 0) return std::nullopt;
        return iss_of(3, 1);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::uint32_t field(unsigned high, unsigned low) const {
    return static_cast<std::uint32_t>(bits(word_, high, low));
  }
  [[nodiscard]] std::uint64_t immediate(unsigned high, unsigned low) const {
    return static_cast<std::uint64_t>(sign_extend(field(high, low), high - low + 1));
  }
  [[nodiscard]] std::uint64_t base() const { return read_(field(9, 5)); }
  [[nodiscard]] bool is_simd() const { return field(26, 26) != 0; }
  [[nodiscard]] unsigned size() const { return field(31, 30); }
  [[nodiscard]] unsigned opc() const { return field(23, 22); }
  [[nodiscard]] unsigned scale() const { return is_simd() ? (opc() & 2) << 1 | size() : size(); }
  [[nodiscard]] unsigned pair_scale() const {
    return is_simd() ? 2 + field(31, 30) : 2 + field(31, 31);
  }
  [[nodiscard]] bool is_post_indexed() const {
    return field(25, 24) == 0 && field(29, 29) == 1 && field(11, 10) == 1;
  }
  /// Of the groups with Iss::plain only the immediate9 group has writeback forms.
  [[nodiscard]] bool has_writeback() const {
    return field(25, 24) == 0 && field(21, 21) == 0 && field(10, 10) == 1;
  }
  [[nodiscard]] std::uint64_t extended_index() const {
    const unsigned rm = field(20, 16);
    const std::uint64_t value = rm == 31 ? 0 : read_(rm);
    switch (field(15, 13)) {
      case 2:
        return bits(value, 31, 0);  // UXTW
      case 6:
        return static_cast<std::uint64_t>(sign_extend(bits(value, 31, 0), 32));  // SXTW
      default:
        return value;  // LSL, SXTX
    }
  }
  /// opc: 0 store, 1 load, 2 load sign-extended to 64 bits, 3 to 32 bits.
  [[nodiscard]] std::uint64_t iss_of(unsigned access_size, unsigned operation) const {
    const bool is_signed = operation >= 2;
    const bool is_64 = is_signed ? operation == 2 : access_size == 3;
    return iss::valid | std::uint64_t{access_size} << iss::size_shift |
           (is_signed ? iss::sign_extend : 0) | std::uint64_t{field(4, 0)} << iss::register_shift |
           (is_64 ? iss::sixty_four : 0);
  }

  std::uint32_t word_;
  std::uint64_t pc_;
  const RegisterReader& read_;
};

}  // namespace

std::optional<LoadStore> decode_load_store(std::uint32_t instruction, std::uint64_t pc,
                                           const RegisterReader& read_register) {
  for (const Row& row : rows) {
    if ((instruction & row.mask) != row.value) continue;
    const Decoder decoder(instruction, pc, read_register);
    return LoadStore{.address = decoder.address(row.form),
                     .instruction_syndrome = decoder.instruction_syndrome(row.iss)};
  }
  return std::nullopt;
}

}  // namespace pkvmemu::cpu
