// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's linear map: hyp VA = PA - physvirt_offset (pkvm-abi.md 7.1). Conversion only; it
// says nothing about whether anything is mapped there.
#pragma once

#include <cstdint>

#include "lib/address_cast.h"
#include "support/address.h"

namespace pkvmemu::hyp {

class LinearMap {
 public:
  constexpr LinearMap() = default;
  constexpr explicit LinearMap(std::uint64_t physvirt_offset) : offset_(physvirt_offset) {}

  constexpr HypVa hyp_va(Pa pa) const { return HypVa{pa.value - offset_}; }
  constexpr Pa hyp_pa(HypVa va) const { return Pa{va.value + offset_}; }

  template <typename T>
  T* pointer(Pa pa) const {
    return fw::object_at<T>(hyp_va(pa));
  }
  Pa pa_of_pointer(const void* pointer) const {
    return hyp_pa(HypVa{reinterpret_cast<std::uint64_t>(pointer)});
  }

 private:
  std::uint64_t offset_ = 0;
};

}  // namespace pkvmemu::hyp
