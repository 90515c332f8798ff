// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/power_domains.h"

#include "hyp/hypervisor.h"
#include "lib/fault.h"

namespace pkvmemu::hyp {

namespace {

// enum kvm_power_domain_type, and struct kvm_power_domain as both generations begin it.
constexpr int power_none = 0, power_host_hvc = 1, power_arm_scmi = 2;
struct PowerDomain {
  int type;
  union {
    std::uint64_t device_id;
    ScmiDomain scmi;  ///< 6.12
  };
};

template <typename Field>
Field& field(kvm_hyp_iommu* device, std::size_t offset) {
  return *fw::object_at<Field>(HypVa{reinterpret_cast<std::uint64_t>(device)} + offset);
}

const IommuRules& rules() {
  return iommu_rules(hypervisor().generation);
}

}  // namespace

Status PowerDomains::init_device(kvm_hyp_iommu* device) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.iommu.init_device", Errno::eopnotsupp,
                                               "a module sets up the power domain of an IOMMU"))
    return injected(fault);
  field<std::uint32_t>(device, rules().device_lock) = 0;
  const auto& power = field<PowerDomain>(device, rules().device_power);
  if (power.type == power_none) return {};
  if (power.type == power_arm_scmi && rules().knows_scmi)
    return hypervisor().scmi.add(power.scmi, device);
  if (power.type != power_host_hvc) return error(Errno::eopnotsupp);
  if (power.device_id >= max_ids) return error(Errno::e2big);
  devices_[power.device_id] = device;
  return {};
}

int PowerDomains::set(std::uint64_t id, Power power) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.power.set", Errno::einval, "__pkvm_host_hvc_pd"))
    return fault.answer;
  if (id >= max_ids || devices_[id] == nullptr) return pkvm::negated(Errno::einval);
  return switch_power(devices_[id], power);
}

int PowerDomains::switch_power(kvm_hyp_iommu* device, Power power) {
  bool& is_off = field<bool>(device, rules().device_is_off);
  const bool was_off = is_off;
  is_off = power == Power::off;
  const HypVa operation =
      hypervisor().iommu.operation(power == Power::off ? IommuOp::suspend : IommuOp::resume);
  if (operation.value == 0) return 0;
  const int result = fw::function_at<int(kvm_hyp_iommu*)>(operation)(device);
  if (result != 0) is_off = was_off;
  return result;
}

}  // namespace pkvmemu::hyp
