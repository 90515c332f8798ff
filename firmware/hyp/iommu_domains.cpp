// SPDX-License-Identifier: GPL-2.0-only
#include "hyp/iommu_domains.h"

#include <algorithm>

#include "hyp/hypervisor.h"
#include "lib/fault.h"
#include "support/bits.h"

namespace pkvmemu::hyp {

namespace {

const IommuRules& rules() {
  return iommu_rules(hypervisor().generation);
}

const Iommu& driver() {
  return hypervisor().iommu;
}

int invalid() {
  return pkvm::negated(Errno::einval);
}

/// The bytes of a mapping, unless they are none, unaligned, or more than there are addresses.
Expected<std::uint64_t> size_of(const IommuDomains::Mapping& what, Pa pa) {
  std::uint64_t size = 0;
  const bool wraps = __builtin_mul_overflow(what.page_size, what.page_count, &size) ||
                     what.iova + size < what.iova || pa.value + size < pa.value;
  const bool pages = what.page_size >= page_size && std::has_single_bit(what.page_size);
  if (wraps || size == 0 || !pages) return error(Errno::einval);
  const bool aligned = is_aligned(what.iova | pa.value, what.page_size);
  if (!aligned) return error(Errno::einval);
  return size;
}

}  // namespace

void sync(const Iommu& iommu, kvm_hyp_iommu_domain* domain, iommu_iotlb_gather& gather) {
  const HypVa operation = iommu.operation(IommuOp::iotlb_sync);
  if (operation.value != 0)
    fw::function_at<void(kvm_hyp_iommu_domain*, iommu_iotlb_gather*)>(operation)(domain, &gather);
  forget(gather);
}

void add_page(const Iommu& iommu, kvm_hyp_iommu_domain* domain, iommu_iotlb_gather& gather,
              std::uint64_t iova, std::uint64_t size) {
  const std::uint64_t last = iova + size - 1;
  const bool begun = gather.pgsize != 0;
  const bool disjoint = gather.end != 0 && (iova > gather.end + 1 || last + 1 < gather.start);
  if (begun && (gather.pgsize != size || disjoint)) sync(iommu, domain, gather);
  gather.pgsize = size;
  gather.start = std::min<std::uint64_t>(gather.start, iova);
  gather.end = std::max<std::uint64_t>(gather.end, last);
}

void flush(kvm_iommu_paddr_cache& cache, Ownership& ownership) {
  check(cache.ptr <= kvm_iommu_paddr_cache::most);
  while (cache.ptr != 0) {
    --cache.ptr;
    const Pa begin{cache.paddr[cache.ptr]};
    check(ownership.unuse_dma({begin, begin + cache.pgsize[cache.ptr]}, DmaUser::host).has_value());
  }
}

IommuDomains::Place IommuDomains::place_of(std::uint64_t id) {
  const std::uint64_t in_a_page = page_size / rules().domain_size;
  return {static_cast<unsigned>(id / in_a_page), (id % in_a_page) * rules().domain_size};
}

kvm_hyp_iommu_domain* IommuDomains::slot(std::uint64_t id) const {
  if (id >= rules().host_domains) return nullptr;
  const Place place = place_of(id);
  const HypVa leaf = leaves_[place.leaf];
  return leaf.value == 0 ? nullptr : fw::object_at<kvm_hyp_iommu_domain>(leaf + place.offset);
}

kvm_hyp_iommu_domain* IommuDomains::in_use(std::uint64_t id) const {
  kvm_hyp_iommu_domain* const domain = slot(id);
  return domain != nullptr && domain->refs != 0 ? domain : nullptr;
}

Status IommuDomains::make_leaf(std::uint64_t id) {
  if (slot(id) != nullptr) return {};
  if (const fw::Fault fault = PKVM_FAULT_ERRNO("hyp.iommu.domain_page", Errno::enomem,
                                               "a page for the structures of IOMMU domains"))
    return injected(fault);
  const HypVa page = hypervisor().iommu_pools->donate(
      {.order = 0, .on_failure = OnFailure::ask_host}, this_cpu().index);
  if (page.value == 0) return error(Errno::enomem);
  leaves_[place_of(id).leaf] = page;
  return {};
}

int IommuDomains::alloc(std::uint64_t id, int type) {
  const fw::LockGuard guard(lock_);
  if (driver().ops() == nullptr) return pkvm::negated(Errno::enodev);
  if (id >= rules().host_domains) return invalid();
  if (const Status there = make_leaf(id); !there) return to_int(there);
  kvm_hyp_iommu_domain* const domain = slot(id);
  if (domain->refs != 0) return invalid();
  domain->domain_id = static_cast<pkvm_handle_t>(id);
  const int result =
      driver().function<int(kvm_hyp_iommu_domain*, int)>(IommuOp::alloc_domain)(domain, type);
  if (result == 0) domain->refs = 1;
  return result;
}

int IommuDomains::free(std::uint64_t id) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.free_domain", Errno::ebusy, "__pkvm_host_iommu_free_domain"))
    return fault.answer;
  const fw::LockGuard guard(lock_);
  kvm_hyp_iommu_domain* const domain = in_use(id);
  if (domain == nullptr) return invalid();
  if (domain->refs != 1) return pkvm::negated(Errno::ebusy);
  driver().function<void(kvm_hyp_iommu_domain*)>(IommuOp::free_domain)(domain);
  domain->refs = 0;
  return 0;
}

int IommuDomains::attach(const Device& device) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.attach_dev", Errno::einval, "__pkvm_host_iommu_attach_dev"))
    return fault.answer;
  const fw::LockGuard guard(lock_);
  kvm_hyp_iommu_domain* const domain = in_use(device.domain);
  if (domain == nullptr) return invalid();
  kvm_hyp_iommu* const iommu = driver().function<kvm_hyp_iommu*(pkvm_handle_t)>(
      IommuOp::get_iommu_by_id)(static_cast<pkvm_handle_t>(device.iommu));
  if (iommu == nullptr) return invalid();
  // 6.6's takes no flags and does not look.
  const int result =
      driver().function<int(kvm_hyp_iommu*, kvm_hyp_iommu_domain*, u32, u32, u32, unsigned long)>(
          IommuOp::attach_dev)(iommu, domain, device.endpoint, device.pasid, device.pasid_bits,
                               device.flags);
  if (result == 0) ++domain->refs;
  return result;
}

int IommuDomains::detach(const Device& device) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.detach_dev", Errno::einval, "__pkvm_host_iommu_detach_dev"))
    return fault.answer;
  const fw::LockGuard guard(lock_);
  kvm_hyp_iommu_domain* const domain = in_use(device.domain);
  if (domain == nullptr || domain->refs < 2) return invalid();
  kvm_hyp_iommu* const iommu = driver().function<kvm_hyp_iommu*(pkvm_handle_t)>(
      IommuOp::get_iommu_by_id)(static_cast<pkvm_handle_t>(device.iommu));
  if (iommu == nullptr) return invalid();
  const int result = driver().function<int(kvm_hyp_iommu*, kvm_hyp_iommu_domain*, u32, u32)>(
      IommuOp::detach_dev)(iommu, domain, device.endpoint, device.pasid);
  if (result == 0) --domain->refs;
  return result;
}

IommuDomains::Mapped IommuDomains::map(const Mapping& what, Pa pa, int prot) {
  if (const fw::Fault fault =
          PKVM_FAULT_ERRNO("hyp.iommu.map_pages", Errno::enomem, "__pkvm_host_iommu_map_pages"))
    return {.error = fault.answer};
  const fw::LockGuard guard(lock_);
  kvm_hyp_iommu_domain* const domain = in_use(what.domain);
  const Expected<std::uint64_t> size = size_of(what, pa);
  if (domain == nullptr || !size || driver().operation(IommuOp::map_pages).value == 0)
    return {.error = invalid()};
  Ownership& ownership = *hypervisor().ownership;
  if (const Status used = ownership.host_use_dma({pa, pa + *size}); !used)
    return {.error = to_int(used)};
  size_t bytes = 0;
  const int result =
      driver()
          .function<int(kvm_hyp_iommu_domain*, unsigned long, phys_addr_t, size_t, size_t, int,
                        size_t*)>(IommuOp::map_pages)(domain, what.iova, pa.value, what.page_size,
                                                      what.page_count, prot, &bytes);
  check(bytes <= *size && is_aligned(bytes, page_size));
  const PaRange rest{pa + bytes, pa + *size};
  check(ownership.unuse_dma(rest, DmaUser::host).has_value());
  return {.bytes = bytes, .error = result};
}

/// As many pages as the cache can name, where there is one.
std::uint64_t IommuDomains::unmap_some(kvm_hyp_iommu_domain* domain, const Mapping& what,
                                       iommu_iotlb_gather& gather) {
  using Unmap = size_t(kvm_hyp_iommu_domain*, unsigned long, size_t, size_t, iommu_iotlb_gather*,
                       kvm_iommu_paddr_cache*);
  const bool cached = rules().unmapping_fills_cache;
  const std::uint64_t pages =
      cached ? std::min<std::uint64_t>(what.page_count, kvm_iommu_paddr_cache::most)
             : what.page_count;
  // 6.12's takes no cache and does not look.
  const size_t bytes = driver().function<Unmap>(IommuOp::unmap_pages)(
      domain, what.iova, what.page_size, pages, &gather, &cache_);
  if (gather.pgsize != 0) sync(driver(), domain, gather);
  if (cached) flush(cache_, *hypervisor().ownership);
  return bytes;
}

std::uint64_t IommuDomains::unmap(const Mapping& what) {
  if (PKVM_FAULT_NOTHING("hyp.iommu.unmap_pages", "__pkvm_host_iommu_unmap_pages")) return 0;
  const fw::LockGuard guard(lock_);
  kvm_hyp_iommu_domain* const domain = in_use(what.domain);
  const Expected<std::uint64_t> size = size_of(what, Pa{0});
  if (domain == nullptr || !size || driver().operation(IommuOp::unmap_pages).value == 0) return 0;
  iommu_iotlb_gather gather{};
  forget(gather);
  std::uint64_t done = 0;
  while (done < *size) {
    Mapping rest = what;
    rest.iova += done;
    rest.page_count -= done / what.page_size;
    const std::uint64_t bytes = unmap_some(domain, rest, gather);
    if (bytes == 0) break;
    done += bytes;
  }
  return done;
}

std::uint64_t IommuDomains::iova_to_phys(std::uint64_t id, std::uint64_t iova) {
  if (PKVM_FAULT_NOTHING("hyp.iommu.iova_to_phys", "__pkvm_host_iommu_iova_to_phys")) return 0;
  const fw::LockGuard guard(lock_);
  kvm_hyp_iommu_domain* const domain = in_use(id);
  if (domain == nullptr || driver().operation(IommuOp::iova_to_phys).value == 0) return 0;
  return driver().function<phys_addr_t(kvm_hyp_iommu_domain*, unsigned long)>(
      IommuOp::iova_to_phys)(domain, iova);
}

}  // namespace pkvmemu::hyp
