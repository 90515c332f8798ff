// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/vm.h"

#include "lib/fault.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

/// The VM's VMID is rarely the one in force, so everybody's entries are forgotten.
void flush_guest(std::uint64_t /*ipa*/) {
  arch::tlbi_all_vmids();
  arch::dsb_ish();
  arch::isb();
}

constexpr unsigned vmid_shift = 48;

}  // namespace

Vm::Vm(LinearMap linear, pkvm::HostVm& shared, const pkvm::HostVm& wishes, Pa root_table)
    : is_protected(wishes.is_protected != 0),
      smc_forwarded(wishes.smc_forwarded != 0),
      ffa(is_protected ? wishes.ffa_allowed : 0),
      host(&shared),
      pvmfw_address(wishes.pvmfw_load_address),
      created_vcpus(static_cast<unsigned>(wishes.created_vcpus)),
      pool(linear),
      stage2({.root = root_table,
              .start_level = guest_shape().start_level,
              .input_bits = guest_shape().ipa_bits},
             pool, flush_guest),
      root{root_table, root_table + pkvm::guest_root_size} {}

/// VMID 0 is the host's (pkvm-abi.md 9.1).
std::uint64_t Vm::vttbr() const {
  const std::uint64_t vmid = handle - pkvm::first_vm_handle + 1;
  return root.begin.value | (vmid << vmid_shift);
}

Vm* VmTable::find(std::uint64_t handle) const {
  const std::uint64_t index = handle - pkvm::first_vm_handle;
  return index < vms_.size() ? vms_[index] : nullptr;
}

Status VmTable::insert(Vm& vm) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.vm.insert", Errno::enomem, "a place in the table of VMs"))
    return injected(fault);
  for (std::size_t i = 0; i < vms_.size(); ++i)
    if (vms_[i] == nullptr) {
      vms_[i] = &vm;
      vm.handle = pkvm::first_vm_handle + static_cast<std::uint32_t>(i);
      return {};
    }
  return error(Errno::enomem);
}

void VmTable::remove(const Vm& vm) {
  vms_[vm.handle - pkvm::first_vm_handle] = nullptr;
}

}  // namespace pkvmemu::hyp
