// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/vm/guest_calls.h"

#include <algorithm>
#include <array>

#include "hyp/vm/guest_ffa.h"
#include "hyp/vm/guest_memory.h"
#include "hyp/vm/regime.h"
#include "pkvm/smccc.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

namespace guest_call = pkvm::guest_call;
namespace psci = pkvm::psci;
namespace smccc = pkvm::smccc;

std::uint64_t& x(Vcpu& vcpu, unsigned number) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-constant-array-index): 0 to 3, by the tables below
  return reinterpret_cast<std::uint64_t&>(vcpu.context.general.regs[number]);
}

void answer(Vcpu& vcpu, std::int64_t x0) {
  x(vcpu, 0) = static_cast<std::uint64_t>(x0);
}
Handled answered(Vcpu& vcpu, std::int64_t x0) {
  answer(vcpu, x0);
  return Handled::resume;
}
/// The vendor services answer SUCCESS or INVALID_PARAMETER.
Handled answered(Vcpu& vcpu, const Status& done) {
  return answered(vcpu, done ? smccc::success : smccc::invalid_parameter);
}
bool has_no_further_arguments(Vcpu& vcpu, unsigned from) {
  for (unsigned i = from; i <= 3; ++i)
    if (x(vcpu, i) != 0) return false;
  return true;
}

Handled smccc_version(Vcpu& vcpu) {
  constexpr std::int64_t version_1_1 = 0x1'0001;
  return answered(vcpu, version_1_1);
}

// 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, the name of KVM's vendor services.
Handled vendor_uid(Vcpu& vcpu) {
  constexpr std::array<std::uint64_t, 4> uid = {0xB66F'B428, 0xE911'C52E, 0x564B'CAA9, 0x743A'004D};
  for (unsigned i = 0; i < uid.size(); ++i)
    x(vcpu, i) = uid[i];
  return Handled::resume;
}

Handled vendor_features(Vcpu& vcpu);

Handled granule(Vcpu& vcpu) {
  return answered(vcpu, has_no_further_arguments(vcpu, 1) ? static_cast<std::int64_t>(page_size)
                                                          : smccc::invalid_parameter);
}

/// SMCCC 1.1: a 32-bit call's arguments are the lower halves.
std::uint64_t argument(Vcpu& vcpu, unsigned number) {
  const bool narrow = (x(vcpu, 0) & smccc::is_64_bit) == 0;
  return narrow ? x(vcpu, number) & low_mask(32) : x(vcpu, number);
}

/// One page, named by x1, with x2 and x3 zero.
using PageService = Status (*)(Vm& vm, Ipa page);
Handled page_service(Vcpu& vcpu, PageService service) {
  if (!has_no_further_arguments(vcpu, 2)) return answered(vcpu, smccc::invalid_parameter);
  const HostRegime host;  // the host's stage 2 changes, under the host's VMID
  return answered(vcpu, service(*vcpu.vm, Ipa{x(vcpu, 1)}));
}

/// A page that the guest has not touched yet the host is asked for, and the call made again.
Handled mem_share(Vcpu& vcpu) {
  if (has_no_further_arguments(vcpu, 2) && is_untouched(*vcpu.vm, Ipa{x(vcpu, 1)}))
    return Handled::page_wanted;
  return page_service(vcpu, guest_share_host);
}
Handled mem_unshare(Vcpu& vcpu) {
  return page_service(vcpu, guest_unshare_host);
}
/// The host hears of a page that is its own again.
Handled mem_relinquish(Vcpu& vcpu) {
  const std::uint64_t pages_before = vcpu.vm->guest_pages;
  page_service(vcpu, guest_relinquish);
  return vcpu.vm->guest_pages == pages_before ? Handled::resume : Handled::exit;
}
Handled mmio_guard_map(Vcpu& vcpu) {
  return page_service(vcpu, guard_mmio_page);
}
Handled mmio_guard_unmap(Vcpu& vcpu) {
  return page_service(vcpu, unguard_mmio_page);
}
Handled mmio_guard_enroll(Vcpu& vcpu) {
  vcpu.vm->mmio_guard = true;
  return answered(vcpu, smccc::success);
}

Handled psci_version(Vcpu& vcpu) {
  constexpr std::int64_t version_1_1 = 0x1'0001;
  return answered(vcpu, version_1_1);
}

/// MPIDR affinity of a vCPU: its index in Aff0.
Vcpu* vcpu_by_mpidr(Vm& vm, std::uint64_t mpidr) {
  return mpidr < vm.vcpus.size() ? vm.vcpus[mpidr] : nullptr;
}

/// The host is told, so that it runs the new vCPU.
Handled cpu_on(Vcpu& vcpu) {
  constexpr std::int64_t already_on = -4;
  Vcpu* target = vcpu_by_mpidr(*vcpu.vm, argument(vcpu, 1));
  if (target == nullptr) return answered(vcpu, psci::invalid_parameters);
  if (target->power == pkvm::VcpuPower::runnable) return answered(vcpu, already_on);
  target->reset = VcpuReset{.pc = argument(vcpu, 2), .x0 = argument(vcpu, 3)};
  target->power = pkvm::VcpuPower::runnable;
  answer(vcpu, smccc::success);
  return Handled::exit;
}

Handled cpu_off(Vcpu& vcpu) {
  vcpu.power = pkvm::VcpuPower::stopped;
  return Handled::exit;
}

std::int64_t affinity_state(const Vcpu& vcpu) {
  return vcpu.power == pkvm::VcpuPower::runnable ? 0 : 1;
}

/// On when one of the group is on. All vCPUs differ in Aff0 alone, so that there is one group.
std::int64_t group_state(const Vm& vm, std::uint64_t mpidr, std::uint64_t level) {
  constexpr unsigned affinity_bits = 8;
  if (mpidr >> (level * affinity_bits) != 0) return psci::invalid_parameters;
  const bool on = std::ranges::any_of(
      vm.vcpus, [](const Vcpu* each) { return each != nullptr && affinity_state(*each) == 0; });
  return on ? 0 : 1;
}

Handled affinity_info(Vcpu& vcpu) {
  constexpr std::uint64_t highest_level = 3;
  const std::uint64_t level = argument(vcpu, 2);
  if (level > highest_level) return answered(vcpu, psci::invalid_parameters);
  if (level > 0) return answered(vcpu, group_state(*vcpu.vm, argument(vcpu, 1), level));
  const Vcpu* target = vcpu_by_mpidr(*vcpu.vm, argument(vcpu, 1));
  if (target == nullptr) return answered(vcpu, psci::invalid_parameters);
  return answered(vcpu, affinity_state(*target));
}

/// SYSTEM_OFF, SYSTEM_RESET and SYSTEM_RESET2: the VM's owner carries them out, and no vCPU runs
/// on.
Handled stop_all(Vcpu& vcpu) {
  for (Vcpu* each : vcpu.vm->vcpus)
    if (each != nullptr) each->power = pkvm::VcpuPower::stopped;
  return Handled::exit;
}

Handled psci_features(Vcpu& vcpu);
Handled smccc_features(Vcpu& vcpu) {
  return answered(vcpu, x(vcpu, 1) == smccc::version_id ? smccc::success : smccc::not_supported);
}

struct Row {
  std::uint32_t id;
  Handled (*handler)(Vcpu&);
};

constexpr auto rows = std::to_array<Row>({
    {smccc::version_id, smccc_version},
    {smccc::arch_features_id, smccc_features},
    {psci::version, psci_version},
    {psci::features, psci_features},
    {psci::cpu_on32, cpu_on},
    {psci::cpu_on64, cpu_on},
    {psci::cpu_off, cpu_off},
    {psci::affinity_info32, affinity_info},
    {psci::affinity_info64, affinity_info},
    {psci::system_off, stop_all},
    {psci::system_reset, stop_all},
    {psci::system_reset2_32, stop_all},
    {psci::system_reset2, stop_all},
    {guest_call::vendor_uid, vendor_uid},
    {guest_call::vendor_features, vendor_features},
    {guest_call::mem_info, granule},
    {guest_call::mem_share, mem_share},
    {guest_call::mem_unshare, mem_unshare},
    {guest_call::mem_relinquish, mem_relinquish},
    {guest_call::mmio_guard_info, granule},
    {guest_call::mmio_guard_enroll, mmio_guard_enroll},
    {guest_call::mmio_guard_map, mmio_guard_map},
    {guest_call::mmio_guard_unmap, mmio_guard_unmap},
});

const Row* find(std::uint64_t id) {
  for (const Row& row : rows)
    if (row.id == id) return &row;
  return nullptr;
}

/// A bit for each vendor service, by the low byte of its number.
Handled vendor_features(Vcpu& vcpu) {
  constexpr std::uint64_t bitmap = [] {
    std::uint64_t map = 0;
    for (const Row& row : rows)
      if (const std::uint32_t owner = row.id >> 24 & 0x3F; owner == 6 && (row.id & 0xFF00) == 0)
        map |= bit(row.id & 0x3F);
    return map;
  }();
  x(vcpu, 0) = bitmap;
  x(vcpu, 1) = x(vcpu, 2) = x(vcpu, 3) = 0;
  return Handled::resume;
}

Handled psci_features(Vcpu& vcpu) {
  const std::uint64_t asked = x(vcpu, 1);
  const bool known =
      (psci::in_range(asked) || asked == smccc::version_id) && find(asked) != nullptr;
  return answered(vcpu, known ? smccc::success : psci::not_supported);
}

}  // namespace

Handled handle_guest_call(Vcpu& vcpu) {
  const Row* row = find(x(vcpu, 0) & 0xFFFF'FFFF);
  if (row == nullptr && is_guest_ffa_call(x(vcpu, 0))) return handle_guest_ffa(vcpu);
  if (row == nullptr) return answered(vcpu, smccc::not_supported);
  return row->handler(vcpu);
}

}  // namespace pkvmemu::hyp
