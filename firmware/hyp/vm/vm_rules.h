// SPDX-License-Identifier: GPL-2.0-only
// What the generations do differently about VMs (pkvm-abi.md 5, 9.3), as data.
#pragma once

#include <array>
#include <cstdint>

#include "hyp/status.h"
#include "pkvm/generation.h"
#include "pkvm/vm.h"

namespace pkvmemu::hyp {

struct VmRules {
  bool host_donates_storage;        ///< with init_vm and init_vcpu; later the hyp heap has it
  bool vcpus_in_order;              ///< a new vCPU's index is the next one; later any free one
  Errno root_refused;               ///< the root of stage 2 cannot be donated
  std::uint64_t not_loaded_answer;  ///< vcpu_run of a vCPU that is not loaded
};

constexpr const VmRules& vm_rules(pkvm::Generation id) {
  constexpr auto illegal = static_cast<std::uint64_t>(pkvm::GuestExit::illegal);
  constexpr auto invalid = static_cast<std::uint64_t>(pkvm::negated(Errno::einval));
  constexpr static std::array<VmRules, pkvm::generation_count> rows = {{
      {true, true, Errno::enomem, invalid},
      {false, true, Errno::einval, illegal},
      {false, false, Errno::einval, illegal},
  }};
  return rows[static_cast<std::size_t>(id)];
}

}  // namespace pkvmemu::hyp
