// SPDX-License-Identifier: GPL-2.0-only
#include "host/vm/guest_services.h"

#include "host/arch.h"
#include "host/memory.h"
#include "host/touch.h"
#include "pkvm/guest.h"
#include "pkvm/smccc.h"

namespace pkvmemu::host {

namespace {

namespace psci = pkvm::psci;
namespace smccc = pkvm::smccc;
constexpr std::int64_t version_1_1 = 0x1'0001;

void answer(pkvm::HostVcpu& vcpu, std::int64_t x0) {
  vcpu.x[0] = static_cast<std::uint64_t>(x0);
}

GuestCall power_off(VirtualMachine& /*vm*/, pkvm::HostVcpu& /*vcpu*/) {
  return {.effect = CallEffect::power_off};
}
GuestCall cpu_off(VirtualMachine& /*vm*/, pkvm::HostVcpu& /*vcpu*/) {
  return {.effect = CallEffect::stop};
}
/// Of a protected VM the hypervisor has set up the target and answered.
GuestCall cpu_on(VirtualMachine& vm, pkvm::HostVcpu& vcpu) {
  const bool narrow = (vcpu.x[0] & smccc::is_64_bit) == 0;
  const std::uint64_t target = narrow ? vcpu.x[1] & 0xFFFF'FFFF : vcpu.x[1];
  if (target >= vm.vcpu_count()) {
    answer(vcpu, psci::invalid_parameters);
    return {};
  }
  if (!vm.is_protected()) {
    pkvm::HostVcpu& other = vm.vcpu(static_cast<unsigned>(target));
    other.pc = narrow ? vcpu.x[2] & 0xFFFF'FFFF : vcpu.x[2];
    other.x[0] = narrow ? vcpu.x[3] & 0xFFFF'FFFF : vcpu.x[3];
    answer(vcpu, smccc::success);
  }
  return {.effect = CallEffect::start, .target = static_cast<unsigned>(target)};
}
/// The hypervisor has answered, and given the page to us.
GuestCall relinquish(VirtualMachine& vm, pkvm::HostVcpu& vcpu) {
  if (vm.is_protected())
    vm.forget_page(vcpu.x[1]);
  else
    answer(vcpu, smccc::not_supported);
  return {};
}
GuestCall version(VirtualMachine& /*vm*/, pkvm::HostVcpu& vcpu) {
  answer(vcpu, version_1_1);
  return {};
}

struct Row {
  std::uint32_t id;
  GuestCall (*handler)(VirtualMachine& vm, pkvm::HostVcpu& vcpu);
};
constexpr auto rows = std::to_array<Row>({
    {smccc::version_id, version},
    {psci::version, version},
    {psci::cpu_on32, cpu_on},
    {psci::cpu_on64, cpu_on},
    {psci::cpu_off, cpu_off},
    {psci::system_off, power_off},
    {psci::system_reset, power_off},
    {psci::system_reset2_32, power_off},
    {psci::system_reset2, power_off},
    {pkvm::guest_call::mem_relinquish, relinquish},
});

}  // namespace

GuestCall answer_guest_call(VirtualMachine& vm, unsigned index) {
  pkvm::HostVcpu& vcpu = vm.vcpu(index);
  const std::uint64_t id = vcpu.x[0] & 0xFFFF'FFFF;
  for (const Row& row : rows)
    if (row.id == id) return row.handler(vm, vcpu);
  if (!vm.is_protected()) answer(vcpu, smccc::not_supported);
  return {};
}

bool invert_words(Pa page) {
  const Touched first = touch(Access::read, page, 0);
  if (first.abort || touch(Access::write, page, first.value).abort) return false;
  auto* const words = linear_pointer<volatile std::uint64_t>(page);
  for (std::size_t i = 0; i < pkvm::guest::shared_words; ++i)
    words[i] = ~words[i];
  return true;
}

}  // namespace pkvmemu::host
