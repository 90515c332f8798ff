// SPDX-License-Identifier: GPL-2.0-only
// Pages for modules, by their struct page. The first page of an allocation counts its users, as a
// kernel's does: the last one gives all of them back.
#include <cstddef>
#include <cstdint>

#include "host/console.h"
#include "host/early.h"
#include "host/memory.h"
#include "host/page_records.h"
#include "lib/memory.h"
#include "pkvm/errno.h"
#include "support/bits.h"

namespace host = pkvmemu::host;
using host::PageRecord;
using pkvmemu::Pfn;

extern "C" {
unsigned long export_get_free_pages(unsigned flags, unsigned order);
void export_free_pages(unsigned long address, unsigned order);
}

namespace {

constexpr unsigned gfp_compound = 0x4'0000;
constexpr unsigned largest_order = 10;

std::uint64_t frame_of(unsigned long address) {
  return host::linear_pa(address).value >> pkvmemu::page_shift;
}
PageRecord* record_of(unsigned long address) {
  return host::page_record(Pfn{frame_of(address)});
}
unsigned long address_of(const PageRecord* page) {
  const auto frame = host::page_of_record(reinterpret_cast<std::uint64_t>(page));
  return frame ? host::linear_va(pkvmemu::pa_of(*frame)) : 0;
}

void join(PageRecord* first, unsigned order) {
  const std::uint64_t head = reinterpret_cast<std::uint64_t>(first) | 1;
  for (std::size_t i = 1; i < std::size_t{1} << order; ++i)
    first[i].head = head;
  if (order != 0) first[1].own = order + 1;
}
bool is_joined(const PageRecord* first) {
  const auto second = reinterpret_cast<std::uint64_t>(first + 1);
  const bool in_this_page = second % pkvmemu::page_size != 0;
  if (!in_this_page && host::page_record(Pfn{frame_of(address_of(first)) + 1}) == nullptr)
    return false;
  return first[1].head == (reinterpret_cast<std::uint64_t>(first) | 1);
}
unsigned order_of(const PageRecord* first) {
  return is_joined(first) ? static_cast<unsigned>(first[1].own - 1) : 0;
}

void give_back(PageRecord* first, unsigned order) {
  const unsigned long address = address_of(first);
  if (is_joined(first))
    for (std::size_t i = 1; i < std::size_t{1} << order; ++i)
      first[i].head = first[i].own = 0;
  first->references = 0;
  export_free_pages(address, order);
}

/// False, and told, for what is no page or nobody has.
bool is_in_use(const PageRecord* page, const char* what, const void* caller) {
  if (address_of(page) != 0 && page->references > 0) return true;
  host::printk("BUG: %s at %pS: no page in use\n", what, caller);
  return false;
}

}  // namespace

extern "C" {

/// Also with the node and the set of nodes behind: there is one.
PageRecord* export_alloc_pages(unsigned flags, unsigned order) {
  const unsigned long address = export_get_free_pages(flags, order);
  if (address == 0) return nullptr;
  // All records first: nothing that follows fails.
  for (std::uint64_t i = 0; i < std::uint64_t{1} << order; ++i) {
    PageRecord* record = host::page_record(Pfn{frame_of(address) + i});
    if (record == nullptr) {
      export_free_pages(address, order);
      return nullptr;
    }
    *record = {};
    record->map_count = ~std::uint32_t{0};
  }
  PageRecord* first = record_of(address);
  first->references = 1;
  if ((flags & gfp_compound) != 0) join(first, order);
  return first;
}
/// A folio is its first page.
PageRecord* export_alloc_folio(unsigned flags, unsigned order) {
  return export_alloc_pages(flags | gfp_compound, order);
}
void export_free_page_records(PageRecord* page, unsigned order) {
  if (page == nullptr || order > largest_order ||
      !is_in_use(page, "__free_pages", __builtin_return_address(0)))
    return;
  if (--page->references == 0) give_back(page, order);
}
/// What put_page() calls when it took the last reference away.
void export_put_folio(PageRecord* page) {
  give_back(page, order_of(page));
}
/// From now on each page is freed alone.
void export_split_page(PageRecord* page, unsigned order) {
  for (std::size_t i = 1; i < std::size_t{1} << order; ++i) {
    page[i].head = page[i].own = 0;
    page[i].references = 1;
  }
}

/// Whole pages for that many bytes; what is behind them goes back.
void* export_alloc_pages_exact(std::size_t size, unsigned flags) {
  const std::uint64_t wanted = pkvmemu::align_up(size, pkvmemu::page_size) >> pkvmemu::page_shift;
  unsigned order = 0;
  while (std::uint64_t{1} << order < wanted)
    ++order;
  if (wanted == 0 || order > largest_order) return nullptr;
  const unsigned long address = export_get_free_pages(flags, order);
  if (address == 0) return nullptr;
  const std::uint64_t spare = (std::uint64_t{1} << order) - wanted;
  if (spare != 0)
    host::free_pages(host::linear_pa(address + (wanted << pkvmemu::page_shift)), spare);
  return reinterpret_cast<void*>(address);
}
void export_free_pages_exact(void* memory, std::size_t size) {
  if (memory == nullptr) return;
  const std::uint64_t count = pkvmemu::align_up(size, pkvmemu::page_size) >> pkvmemu::page_shift;
  host::free_pages(host::linear_pa(reinterpret_cast<std::uint64_t>(memory)), count);
}

/// Whether there is RAM behind the number.
bool export_pfn_is_ram(unsigned long page) {
  return host::is_ram(pkvmemu::pa_of(Pfn{page}));
}
/// Addresses for DMA are physical ones, and nothing is cached apart.
std::uint64_t export_dma_map_page(const void* /*device*/, const PageRecord* page,
                                  unsigned long offset, std::size_t /*size*/, int /*direction*/,
                                  unsigned long /*attributes*/) {
  return host::linear_pa(address_of(page)).value + offset;
}

/// -ERANGE for what is no address of the kernel's, -EFAULT where nothing is mapped.
long export_copy_from_kernel_nofault(void* to, const void* from, std::size_t size) {
  const auto begin = reinterpret_cast<std::uint64_t>(from);
  if (begin < host::kernel_layout().page_offset()) return pkvm::negated(pkvm::Errno::erange);
  for (std::uint64_t at = pkvmemu::align_down(begin, pkvmemu::page_size); at < begin + size;
       at += pkvmemu::page_size)
    if (!host::physical_address(at)) return pkvm::negated(pkvm::Errno::efault);
  pkvmemu::fw::copy_bytes(to, from, size);
  return 0;
}

/// Of any address of the kernel's.
PageRecord* export_vmalloc_to_page(const void* address) {
  const auto pa = host::physical_address(reinterpret_cast<std::uint64_t>(address));
  return pa ? host::page_record(pkvmemu::pfn_of(*pa)) : nullptr;
}
unsigned long export_vmalloc_to_pfn(const void* address) {
  const auto pa = host::physical_address(reinterpret_cast<std::uint64_t>(address));
  return pa ? pkvmemu::pfn_of(*pa).value : 0;
}
}
