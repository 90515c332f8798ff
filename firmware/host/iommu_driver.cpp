// SPDX-License-Identifier: GPL-2.0-only
#include "host/iommu_driver.h"

#include <algorithm>

#include "host/arch.h"
#include "host/console.h"
#include "host/hyp_memory.h"
#include "host/kvm.h"
#include "host/left_behind.h"
#include "host/memory.h"
#include "host/panic.h"
#include "lib/fault.h"
#include "pkvm/errno.h"
#include "pkvm/hyp_request.h"
#include "pkvm/smccc.h"
#include "support/address.h"
#include "support/bits.h"

namespace pkvmemu::host {

namespace {

constinit const IommuDriver* registered = nullptr;

/// What a kernel does with a NULL driver: BUG, or an answer.
enum class NullDriver : std::uint8_t { bug, invalid };
constexpr std::array<NullDriver, pkvm::generation_count> null_driver_rows = {
    NullDriver::bug, NullDriver::bug, NullDriver::invalid};

int register_driver(const IommuDriver* driver) {
  if (driver == nullptr) {
    const auto row = null_driver_rows[static_cast<std::size_t>(kvm().generation())];
    if (row == NullDriver::bug) panic("kvm_iommu_register_driver: NULL, caller's BUG");
    return pkvm::negated(pkvm::Errno::einval);
  }
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.iommu.register", pkvm::Errno::ebusy,
                                               "a module registers an IOMMU driver"))
    return fault.answer;
  if (registered != nullptr) return pkvm::negated(pkvm::Errno::ebusy);
  registered = driver;
  return 0;
}

/// struct kvm_iommu_sg: one run of memory.
struct IommuScatter {
  std::uint64_t pa;
  std::uint64_t page_size;
  std::uint32_t count;
};
static_assert(sizeof(IommuScatter) == 24);

int call_for_pages(pkvm::Hypercall call, const IommuScatter* list, unsigned entries) {
  const Pfn first = pfn_of(linear_pa(reinterpret_cast<std::uint64_t>(list)));
  const std::uint64_t pages = align_up(entries * sizeof(IommuScatter), page_size) >> page_shift;
  for (std::uint64_t i = 0; i < pages; ++i) {
    const auto answer = static_cast<int>(kvm().call(call, {first.value + i}));
    if (answer != 0) return answer;
  }
  return 0;
}

/// The hypervisor's wish: true when it has been fulfilled.
bool fulfil(const pkvm::HypRequest& request) {
  if (request.type != pkvm::HypRequest::memory) return false;
  const bool iommu = request.dest == pkvm::HypRequest::dest_iommu;
  if (!iommu && request.dest != pkvm::HypRequest::dest_heap) return false;
  return topup_hyp_allocator(iommu ? HypAllocator::iommu : HypAllocator::heap, request.pages,
                             request.size) == 0;
}

}  // namespace

const IommuDriver* iommu_driver() {
  return registered;
}

void forget_iommu_driver(const kmod::Module& module) {
  if (registered == nullptr ||
      !module.contains(KernVa{reinterpret_cast<std::uint64_t>(registered)}))
    return;
  registered = nullptr;
  printk(
      "iommu: the driver of module %.*s was still registered when the module failed: taken back (a "
      "kernel would call freed memory)\n",
      static_cast<int>(module.name().size()), module.name().data());
}

IommuAnswer iommu_call(pkvm::Hypercall call, std::initializer_list<std::uint64_t> arguments) {
  const auto number = pkvm::hypercall_number(kvm().generation(), call);
  const std::int64_t unsupported = pkvm::negated(pkvm::Errno::eopnotsupp);
  if (!number) return {.x0 = unsupported, .x1 = unsupported};
  while (true) {
    arch::CallRegisters x{pkvm::smccc::kvm_host_id(*number)};
    std::ranges::copy(arguments, x.begin() + 1);
    arch::hvc(x);
    const auto x0 = static_cast<std::int64_t>(x[0]);
    const auto x1 = static_cast<std::int64_t>(x[1]);
    // Some of it done is an answer, too: the caller goes on from there.
    const bool begun = x1 > 0;
    if (begun || !fulfil(pkvm::HypRequest::from(x[2], x[3]))) return {.x0 = x0, .x1 = x1};
  }
}

}  // namespace pkvmemu::host

namespace fw = pkvmemu::fw;
namespace host = pkvmemu::host;
using pkvm::Hypercall;

// The kernel's names (pkvm-abi.md 3.7).
// NOLINTBEGIN(readability-identifier-naming)
extern "C" int export_kvm_iommu_register_driver(const host::IommuDriver* driver) {
  return host::register_driver(driver);
}

/// `ops` is the hypervisor's address; 6.12 has no argument for init. The pages go to the hypervisor
/// before init runs and stay there when it fails, so that nobody may free them here.
extern "C" int export_kvm_iommu_init_hyp(std::uint64_t ops, host::HypMemcache* atomic,
                                         unsigned long argument) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_init", pkvm::Errno::enodev,
                                               "hypercall __pkvm_iommu_init"))
    return fault.answer;
  const host::HypMemcache pages = atomic != nullptr ? *atomic : host::HypMemcache{};
  if (atomic != nullptr) {
    atomic->head = 0;
    atomic->blocks = 0;
  }
  return static_cast<int>(
      host::kvm().call(Hypercall::pkvm_iommu_init, {ops, pages.head, pages.blocks, argument}));
}

extern "C" int export_kvm_iommu_alloc_domain(unsigned domain, int type) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_alloc_domain", pkvm::Errno::enomem,
                                               "hypercall __pkvm_host_iommu_alloc_domain"))
    return fault.answer;
  return static_cast<int>(host::iommu_call(Hypercall::pkvm_host_iommu_alloc_domain,
                                           {domain, static_cast<std::uint64_t>(type)})
                              .x1);
}

extern "C" int export_kvm_iommu_free_domain(unsigned domain) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_free_domain", pkvm::Errno::ebusy,
                                               "hypercall __pkvm_host_iommu_free_domain"))
    return fault.answer;
  return static_cast<int>(host::iommu_call(Hypercall::pkvm_host_iommu_free_domain, {domain}).x1);
}

extern "C" int export_kvm_iommu_attach_dev(unsigned iommu, unsigned domain, unsigned endpoint,
                                           unsigned pasid, unsigned pasid_bits,
                                           unsigned long flags) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_attach_dev", pkvm::Errno::einval,
                                               "hypercall __pkvm_host_iommu_attach_dev"))
    return fault.answer;
  return static_cast<int>(host::iommu_call(Hypercall::pkvm_host_iommu_attach_dev,
                                           {iommu, domain, endpoint, pasid, pasid_bits, flags})
                              .x1);
}

extern "C" int export_kvm_iommu_detach_dev(unsigned iommu, unsigned domain, unsigned endpoint,
                                           unsigned pasid) {
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_detach_dev", pkvm::Errno::einval,
                                               "hypercall __pkvm_host_iommu_detach_dev"))
    return fault.answer;
  return static_cast<int>(
      host::iommu_call(Hypercall::pkvm_host_iommu_detach_dev, {iommu, domain, endpoint, pasid}).x1);
}

/// Goes on behind what is mapped until all is, or something besides memory is wrong.
extern "C" int export_kvm_iommu_map_pages(unsigned domain, unsigned long iova, std::uint64_t paddr,
                                          std::size_t pgsize, std::size_t pgcount, int prot,
                                          unsigned /*gfp*/, std::size_t* total_mapped) {
  *total_mapped = 0;
  while (*total_mapped < pgsize * pgcount) {
    if (const fw::Fault fault = PKVM_FAULT_ERRNO("host.hvc.iommu_map_pages", pkvm::Errno::enomem,
                                                 "hypercall __pkvm_host_iommu_map_pages"))
      return fault.answer;
    const std::size_t done = *total_mapped;
    const host::IommuAnswer answer =
        host::iommu_call(Hypercall::pkvm_host_iommu_map_pages,
                         {domain, iova + done, paddr + done, pgsize, pgcount - (done / pgsize),
                          static_cast<std::uint64_t>(prot)});
    if (answer.x1 <= 0)
      return answer.x0 != 0 ? static_cast<int>(answer.x0) : pkvm::negated(pkvm::Errno::einval);
    *total_mapped += static_cast<std::size_t>(answer.x1);
  }
  return 0;
}

extern "C" std::size_t export_kvm_iommu_unmap_pages(unsigned domain, unsigned long iova,
                                                    std::size_t pgsize, std::size_t pgcount) {
  if (PKVM_FAULT_NOTHING("host.hvc.iommu_unmap_pages", "hypercall __pkvm_host_iommu_unmap_pages"))
    return 0;
  return static_cast<std::size_t>(
      host::iommu_call(Hypercall::pkvm_host_iommu_unmap_pages, {domain, iova, pgsize, pgcount}).x1);
}

extern "C" std::uint64_t export_kvm_iommu_iova_to_phys(unsigned domain, unsigned long iova) {
  if (PKVM_FAULT_NOTHING("host.hvc.iommu_iova_to_phys", "hypercall __pkvm_host_iommu_iova_to_phys"))
    return 0;
  return static_cast<std::uint64_t>(
      host::kvm().call(Hypercall::pkvm_host_iommu_iova_to_phys, {domain, iova}));
}
/// Each page that holds the list; the first error ends it.
extern "C" int export_kvm_iommu_share_hyp_sg(const host::IommuScatter* list, unsigned entries) {
  return host::call_for_pages(Hypercall::pkvm_host_share_hyp, list, entries);
}
extern "C" int export_kvm_iommu_unshare_hyp_sg(const host::IommuScatter* list, unsigned entries) {
  return host::call_for_pages(Hypercall::pkvm_host_unshare_hyp, list, entries);
}
// NOLINTEND(readability-identifier-naming)
