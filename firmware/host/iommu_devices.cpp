// SPDX-License-Identifier: GPL-2.0-only
#include "host/iommu_devices.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "host/device.h"
#include "host/iommu_driver.h"
#include "host/kvm.h"
#include "host/memory.h"
#include "lib/fault.h"
#include "pkvm/errno.h"
#include "pkvm/generation.h"
#include "pkvm/hypercall.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

using pkvm::Errno;
using pkvm::Hypercall;

constinit bool brought = false;

/// Shares the pages of [from, from + size) with the hypervisor for as long as it lives. The kernel
/// takes addresses of the linear map alone.
class SharedForNow {
 public:
  SharedForNow(std::uint64_t from, std::uint64_t size)
      : begin_(align_down(from, page_size)), end_(begin_) {
    const std::uint64_t end = size == 0 ? begin_ : align_up(from + size, page_size);
    for (; end_ < end && status_ == 0; end_ += page_size) {
      const auto frame = linear_frame(end_);
      status_ = frame ? static_cast<int>(kvm().call(Hypercall::pkvm_host_share_hyp, {*frame}))
                      : pkvm::negated(Errno::einval);
      if (status_ != 0) break;
    }
  }
  ~SharedForNow() {
    for (std::uint64_t at = begin_; at < end_; at += page_size)
      (void)kvm().call(Hypercall::pkvm_host_unshare_hyp, {linear_frame(at).value_or(0)});
  }
  SharedForNow(const SharedForNow&) = delete;
  SharedForNow& operator=(const SharedForNow&) = delete;

  /// 0, or why not all of it is shared.
  [[nodiscard]] int status() const { return status_; }

 private:
  static std::optional<std::uint64_t> linear_frame(std::uint64_t va) {
    const auto pa = physical_address(va);
    if (!pa || linear_va(*pa) != va) return std::nullopt;
    return pa->value >> page_shift;
  }

  std::uint64_t begin_;
  std::uint64_t end_;
  int status_ = 0;
};

int init_driver(std::uint64_t driver, std::uint64_t data, std::uint64_t size) {
  brought = true;
  const SharedForNow shared(data, data == 0 ? 0 : size);
  if (shared.status() != 0) return shared.status();
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_driver_init", Errno::ebusy,
                                               "hypercall __pkvm_iommu_driver_init"))
    return fault.answer;
  return static_cast<int>(kvm().call(Hypercall::pkvm_iommu_driver_init, {driver, data, size}));
}

struct Registration {
  std::uint64_t device;
  std::uint64_t driver;
  std::uint64_t pa;
  std::uint64_t size;
  std::uint64_t parent;
  std::uint64_t flags;
};

int call_register(const Registration& what, std::uint64_t page) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_register", Errno::eexist,
                                               "hypercall __pkvm_iommu_register"))
    return fault.answer;
  return static_cast<int>(
      kvm().call(Hypercall::pkvm_iommu_register,
                 {what.device, what.driver, what.pa, what.size, what.parent, what.flags, page}));
}

/// Once more, with a page, when the hypervisor has no memory.
int register_device(const Registration& what) {
  brought = true;
  const int first = call_register(what, 0);
  if (first != pkvm::negated(Errno::enomem)) return first;
  const auto page = take_zeroed_pages(1);
  if (!page) return first;
  const int second = call_register(what, linear_va(*page));
  if (second != 0) free_pages(*page, 1);
  return second;
}

// What goes to the hypervisor when the power of a device changes.
enum class Power : std::uint8_t { off = 0, on = 1 };

/// 6.1: a device's structure is its name.
int notify(void* device, Power power) {
  return static_cast<int>(
      kvm().call(Hypercall::pkvm_iommu_pm_notify,
                 {reinterpret_cast<std::uint64_t>(device), static_cast<std::uint64_t>(power)}));
}

/// The driver says which power domain.
int set_domain(const void* of_whom, Power power) {
  if (iommu_driver() == nullptr || iommu_driver()->get_iommu_id == nullptr)
    return pkvm::negated(Errno::enodev);
  return static_cast<int>(
      kvm().call(Hypercall::pkvm_host_hvc_pd,
                 {iommu_driver()->get_iommu_id(of_whom), static_cast<std::uint64_t>(power)}));
}

/// 6.6: a driver knows a device by its structure.
int set_domain_of_device(void* device, Power power) {
  return set_domain(device, power);
}

/// 6.12: by its node, which a device without one has as null.
int set_domain_of_node(void* device, Power power) {
  return set_domain(device == nullptr ? nullptr : static_cast<const Device*>(device)->of_node,
                    power);
}

int set_power(void* device, Power power) {
  using Way = int (*)(void* device, Power power);
  constexpr std::array<Way, pkvm::generation_count> ways = {notify, set_domain_of_device,
                                                            set_domain_of_node};
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_power", Errno::einval,
                                               "the hypercall for an IOMMU's power"))
    return fault.answer;
  return ways[static_cast<std::size_t>(kvm().generation())](device, power);
}

}  // namespace

bool has_iommu_devices() {
  return brought;
}

}  // namespace pkvmemu::host

namespace host = pkvmemu::host;

// The kernel's names (pkvm-abi.md 3.7). Drivers are named by the hypervisor's address.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" int export_pkvm_iommu_driver_init(std::uint64_t driver, void* data, std::size_t size) {
  return host::init_driver(driver, reinterpret_cast<std::uint64_t>(data), size);
}

extern "C" int export_pkvm_iommu_register(void* device, std::uint64_t driver, std::uint64_t pa,
                                          std::size_t size, void* parent, unsigned char flags) {
  return host::register_device({.device = reinterpret_cast<std::uint64_t>(device),
                                .driver = driver,
                                .pa = pa,
                                .size = size,
                                .parent = reinterpret_cast<std::uint64_t>(parent),
                                .flags = flags});
}

extern "C" int export_pkvm_iommu_finalize(int err) {
  host::brought = true;
  return host::kvm().finalize_iommu(err);
}

extern "C" int export_pkvm_iommu_suspend(void* device) {
  return host::set_power(device, host::Power::off);
}

extern "C" int export_pkvm_iommu_resume(void* device) {
  return host::set_power(device, host::Power::on);
}
// NOLINTEND(readability-identifier-naming)
