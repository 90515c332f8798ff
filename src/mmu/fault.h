// SPDX-License-Identifier: GPL-2.0-only
// Why a translation failed, in the terms that ESR_ELx, HPFAR_EL2 and PAR_EL1 use (Arm ARM D8.15).
#pragma once

#include <cstdint>

#include "support/address.h"

namespace pkvmemu::mmu {

enum class FaultType : std::uint8_t {
  address_size,    ///< a table or output address is larger than the regime allows
  translation,     ///< no mapping
  access_flag,     ///< the leaf's AF is 0
  permission,      ///< the leaf does not allow this access
  external_abort,  ///< memory did not answer the walk's read
};

enum class Stage : std::uint8_t { one = 1, two = 2 };

struct Fault {
  FaultType type = FaultType::translation;
  std::uint8_t level = 0;  ///< lookup level, 0 to 3
  Stage stage = Stage::one;
  bool s1ptw = false;  ///< stage 2 failed on behalf of a stage-1 table walk
  Ipa ipa{0};          ///< stage 2 only: what HPFAR_EL2 reports (the whole address, not the page)

  constexpr bool operator==(const Fault&) const = default;

  /// DFSC or IFSC: the fault status code of ESR_ELx<5:0> and PAR_EL1.FST.
  [[nodiscard]] constexpr std::uint8_t status_code() const;
};

namespace detail {
/// The base of a fault type's four status codes; the level is added to it (Arm ARM, ESR_EL1.DFSC).
constexpr std::uint8_t status_code_base(FaultType type) {
  switch (type) {
    case FaultType::address_size:
      return 0b00'0000;
    case FaultType::translation:
      return 0b00'0100;
    case FaultType::access_flag:
      return 0b00'1000;
    case FaultType::permission:
      return 0b00'1100;
    case FaultType::external_abort:
      return 0b01'0100;
  }
  return 0;
}
}  // namespace detail

constexpr std::uint8_t Fault::status_code() const {
  return static_cast<std::uint8_t>(detail::status_code_base(type) + level);
}

}  // namespace pkvmemu::mmu
