// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/scmi.h"

#include <span>

#include "hyp/hypervisor.h"
#include "hyp/smc.h"
#include "lib/address_cast.h"
#include "lib/fault.h"

namespace pkvmemu::hyp {

namespace {

// The shared memory of the SMC transport.
constexpr std::size_t channel_status = 0x4, message_header = 0x18, message_payload = 0x1C;
constexpr std::uint32_t channel_free = 1, channel_error = 2;

// POWER_STATE_SET of the power domain protocol: its header, payload, and answer.
constexpr std::uint32_t protocol_power = 0x11, power_state_set = 4;
constexpr std::size_t set_flags = message_payload, set_domain = message_payload + 4,
                      set_state = message_payload + 8, answer_status = message_payload;
constexpr std::uint32_t asynchronous = 1, state_on = 0, state_off = 1U << 30;

constexpr std::uint32_t protocol_of(std::uint32_t header) {
  return header >> 10 & 0xFF;
}
constexpr std::uint32_t message_of(std::uint32_t header) {
  return header & 0xFF;
}

/// How often EL3's answer is looked for.
constexpr unsigned longest_wait = 1'000'000;

using Power = PowerDomains::Power;

}  // namespace

Status ScmiChannel::add(const ScmiDomain& domain, kvm_hyp_iommu* device) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.scmi.add", Errno::enomem, "an IOMMU's power domain of SCMI"))
    return injected(fault);
  if (domain.memory % page_size != 0 || domain.size < page_size) return error(Errno::einval);
  const Pa memory{domain.memory};
  if (mapping_ == HypVa{0}) {
    const Expected<HypVa> va =
        hypervisor().space->create_private_mapping(memory, domain.size, prot_device);
    if (!va) return error(va.error());
    mapping_ = *va;
    memory_ = memory;
    doorbell_ = domain.smc_id;
  } else if (memory != memory_ || domain.smc_id != doorbell_) {
    return error(Errno::enxio);
  }
  if (count_ == max_domains) return error(Errno::enospc);
  domains_[count_++] = {.id = domain.domain_id, .device = device};
  return {};
}

std::uint32_t ScmiChannel::word(std::size_t offset) const {
  const HypVa here{arch::mapped_at(mapping_.value, memory_.value)};
  return *fw::object_at<volatile std::uint32_t>(here + offset);
}

kvm_hyp_iommu* ScmiChannel::device_of_message() const {
  const std::uint32_t header = word(message_header);
  if (protocol_of(header) != protocol_power || message_of(header) != power_state_set)
    return nullptr;
  const std::uint32_t wanted = word(set_domain);
  for (const Domain& domain : std::span(domains_).first(count_))
    if (domain.id == wanted) return domain.device;
  return nullptr;
}

bool ScmiChannel::ring(user_pt_regs& regs) const {
  if (PKVM_FAULT_NOTHING("hyp.scmi.ring", "EL3's consent to a power switch by SCMI")) return false;
  forward_to_el3(&regs);
  unsigned looks = 0;
  std::uint32_t status = word(channel_status);
  while ((status & (channel_free | channel_error)) == 0) {
    check(++looks <= longest_wait);
    status = word(channel_status);
  }
  return (status & channel_error) == 0 && word(answer_status) == 0;
}

/// A message to somebody else goes to EL3 as it is; one that is not there yet nowhere.
void ScmiChannel::carry_out(user_pt_regs& regs) const {
  if ((word(channel_status) & (channel_free | channel_error)) != 0) return;
  kvm_hyp_iommu* const device = device_of_message();
  if (device == nullptr) return forward_to_el3(&regs);
  check((word(set_flags) & asynchronous) == 0);
  switch (word(set_state)) {
    case state_on:
      if (ring(regs)) PowerDomains::switch_power(device, Power::on);
      break;
    case state_off:
      PowerDomains::switch_power(device, Power::off);
      if (!ring(regs)) PowerDomains::switch_power(device, Power::on);
      break;
    default:
      break;
  }
}

bool ScmiChannel::take(user_pt_regs& regs, std::uint32_t id) const {
  if (mapping_ == HypVa{0} || id != doorbell_) return false;
  Ownership& owners = *hypervisor().ownership;
  const std::uint64_t pfn = pfn_of(memory_).value;
  check(owners.host_donate_hyp(pfn, 1, Accept::memory_or_mmio, prot_rw).has_value());
  carry_out(regs);
  check(owners.hyp_donate_host(pfn, 1).has_value());
  return true;
}

}  // namespace pkvmemu::hyp
