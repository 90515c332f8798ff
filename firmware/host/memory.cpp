// SPDX-License-Identifier: GPL-2.0-only
#include "host/memory.h"

#include <algorithm>

#include "host/arch.h"
#include "host/early.h"
#include "host/extents.h"
#include "host/panic.h"
#include "lib/fault.h"
#include "lib/memory.h"

namespace pkvmemu::host {

namespace {

class KernelTables final : public TableMemory {
 public:
  std::optional<Pa> take_table() override { return take_zeroed_pages(1); }
  std::uint64_t* view(Pa table) override { return linear_pointer<std::uint64_t>(table); }
};

/// For what no fault of a plan takes away.
class RecordTables final : public TableMemory {
 public:
  std::optional<Pa> take_table() override {
    const auto table = take_record_pages(1);
    if (table) fw::fill_bytes(linear_pointer<void>(*table), 0, page_size);
    return table;
  }
  std::uint64_t* view(Pa table) override { return linear_pointer<std::uint64_t>(table); }
};

constinit KernelTables kernel_tables;
constinit RecordTables record_tables;
constinit ExtentSet free_frames;    // numbered from PA 0
constinit ExtentSet module_window;  // numbered from VA 0
constinit ExtentSet vmap_window;    // numbered from VA 0
constinit std::uint64_t linear_offset = 0;

PageTable kernel_table() {
  return {boot_state.kernel_root, boot_state.va_bits, kernel_tables};
}

/// The pages that a range touches.
Extent covering(const PhysRange& range) {
  const std::uint64_t first = range.base.value >> page_shift;
  return {.first = first, .count = (align_up(range.end().value, page_size) >> page_shift) - first};
}

Extent inside(const PhysRange& range) {
  const std::uint64_t first = align_up(range.base.value, page_size) >> page_shift;
  return {.first = first, .count = (range.end().value >> page_shift) - first};
}

Extent window(std::uint64_t begin, std::uint64_t end) {
  return {.first = begin >> page_shift, .count = (end - begin) >> page_shift};
}

std::uint64_t pages_of(std::uint64_t size) {
  return align_up(size, page_size) >> page_shift;
}

std::optional<std::uint64_t> map_in_window(Pa pa, std::uint64_t size, Attributes how) {
  const std::uint64_t pages = pages_of(size + (pa.value & low_mask(page_shift)));
  // One page of distance, so that running off a mapping faults.
  const auto slot = vmap_window.take_low(pages + 1);
  if (!slot) return std::nullopt;
  const std::uint64_t va = *slot << page_shift;
  const Pa first{align_down(pa.value, page_size)};
  if (!kernel_table().map(va, first, pages << page_shift, how, PageTable::Largest::page))
    return std::nullopt;
  arch::publish_tables();
  return va + (pa - first);
}

std::optional<Pa> take_low_pages(std::uint64_t count, std::uint64_t alignment) {
  const auto first = free_frames.take_low(count, alignment);
  if (!first) return std::nullopt;
  return pa_of(Pfn{*first});
}

}  // namespace

bool is_ram(Pa pa) {
  return std::ranges::any_of(boot_state.info.memory.all(), [pa](const PhysRange& range) {
    return pa >= range.base && pa < range.end();
  });
}

void memory_init() {
  const BootInfo& boot = boot_state.info;
  const KernelLayout layout = kernel_layout();
  linear_offset = layout.page_offset() - pkvm::platform::ram_base;
  for (const PhysRange& ram : boot.memory.all())
    free_frames.add(inside(ram));
  for (const Reserved& reserved : boot.reserved.all())
    free_frames.remove(covering(reserved.range));
  free_frames.remove(covering(boot.devicetree));
  free_frames.remove(covering(boot.initrd));
  free_frames.remove(
      covering({.base = boot.image.base, .size = boot_state.early_end - boot.image.base}));
  module_window.add(window(layout.module_window_begin(), layout.module_window_end()));
  vmap_window.add(window(layout.vmap_begin(), layout.vmap_begin() + KernelLayout::vmap_size));
}

std::uint64_t linear_va(Pa pa) {
  return pa.value + linear_offset;
}
Pa linear_pa(std::uint64_t va) {
  return Pa{va - linear_offset};
}

std::optional<Pa> take_pages(std::uint64_t count, std::uint64_t alignment) {
  if (PKVM_FAULT_NOTHING("host.pages.take", "pages of the host kernel")) return std::nullopt;
  return take_low_pages(count, alignment);
}

std::optional<Pa> take_record_pages(std::uint64_t count) {
  return take_low_pages(count, 1);
}

std::optional<Pa> take_zeroed_pages(std::uint64_t count, std::uint64_t alignment) {
  const auto first = take_pages(count, alignment);
  if (first) fw::fill_bytes(linear_pointer<void>(*first), 0, count << page_shift);
  return first;
}

std::optional<Pa> take_high_pages(std::uint64_t count, std::uint64_t alignment) {
  if (PKVM_FAULT_NOTHING("host.pages.take_high", "pages of the host kernel from the end of memory"))
    return std::nullopt;
  const auto first = free_frames.take_high(count, alignment);
  if (!first) return std::nullopt;
  return pa_of(Pfn{*first});
}

void free_pages(Pa first, std::uint64_t count) {
  // A full set loses pages, which only costs memory; a page freed twice is a bug.
  free_frames.add({.first = pfn_of(first).value, .count = count});
}

std::optional<Pa> physical_address(std::uint64_t va) {
  const auto leaf = kernel_table().find(va);
  if (!leaf) return std::nullopt;
  return leaf->pa;
}

std::uint64_t map_device(Pa pa, std::uint64_t size) {
  const auto va = map_in_window(pa, size, attributes::device);
  if (!va) panic("no memory to map a device");
  return *va;
}

std::optional<std::uint64_t> map_memory(Pa pa, std::uint64_t size) {
  return map_in_window(pa, size, attributes::kernel_data);
}

std::optional<std::uint64_t> map_together(std::span<const Pa> pages) {
  const auto slot = vmap_window.take_low(pages.size() + 1);
  if (!slot) return std::nullopt;
  const std::uint64_t va = *slot << page_shift;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (kernel_table().map(va + (i << page_shift), pages[i], page_size, attributes::kernel_data,
                           PageTable::Largest::page))
      continue;
    unmap_memory(va, pages.size() << page_shift);
    return std::nullopt;
  }
  arch::publish_tables();
  return va;
}

void unmap_memory(std::uint64_t va, std::uint64_t size) {
  const std::uint64_t first = align_down(va, page_size);
  const std::uint64_t pages = pages_of(size + (va - first));
  kernel_table().unmap(first, pages << page_shift);
  arch::flush_tlb();
  vmap_window.add({.first = first >> page_shift, .count = pages + 1});
}

bool prepare_touch() {
  static constinit bool ready = false;
  if (ready) return true;
  ready = kernel_table().map(kernel_layout().touch_begin(), Pa{0}, KernelLayout::touch_size,
                             attributes::kernel_data, PageTable::Largest::page);
  unmap_touched();
  return ready;
}

std::uint64_t map_touched(Pa pa, Attributes how) {
  const std::uint64_t va = kernel_layout().touch_begin();
  const Pa first{align_down(pa.value, page_size)};
  // Behind the last address that a descriptor holds there is nothing to map.
  const bool last = first.value + page_size > low_mask(48);
  const std::uint64_t size = last ? page_size : KernelLayout::touch_size;
  if (!kernel_table().map(va, first, size, how, PageTable::Largest::page))
    panic("no memory for a page table");
  arch::flush_tlb();
  return va + (pa - first);
}

void unmap_touched() {
  kernel_table().unmap(kernel_layout().touch_begin(), KernelLayout::touch_size);
  arch::flush_tlb();
}

std::optional<std::uint64_t> allocate_module_memory(std::uint64_t size) {
  if (PKVM_FAULT_NOTHING("host.module_memory", "memory for a module's sections"))
    return std::nullopt;
  const std::uint64_t pages = pages_of(size);
  const auto slot = module_window.take_low(pages + 1);
  if (!slot) return std::nullopt;
  const std::uint64_t va = *slot << page_shift;
  for (std::uint64_t i = 0; i < pages; ++i) {
    const auto page = take_zeroed_pages(1);
    const std::uint64_t at = va + (i << page_shift);
    if (page &&
        kernel_table().map(at, *page, page_size, attributes::kernel_data, PageTable::Largest::page))
      continue;
    free_module_memory(va, size);
    return std::nullopt;
  }
  arch::publish_tables();
  return va;
}

void free_module_memory(std::uint64_t va, std::uint64_t size) {
  const std::uint64_t pages = pages_of(size);
  for (std::uint64_t i = 0; i < pages; ++i)
    if (const auto pa = physical_address(va + (i << page_shift))) free_pages(*pa, 1);
  kernel_table().unmap(va, pages << page_shift);
  arch::flush_tlb();
  module_window.add({.first = va >> page_shift, .count = pages + 1});
}

void protect_module_memory(std::uint64_t va, std::uint64_t size, Attributes how) {
  PageTable table = kernel_table();
  for (std::uint64_t at = va; at < va + size; at += page_size)
    if (const auto leaf = table.find(at))
      table.map(at, leaf->pa, page_size, how, PageTable::Largest::page);
  arch::flush_tlb();
}

bool map_record_page(std::uint64_t va) {
  const auto page = take_record_pages(1);
  if (!page) return false;
  PageTable table(boot_state.kernel_root, boot_state.va_bits, record_tables);
  const bool mapped =
      table.map(va, *page, page_size, attributes::kernel_data, PageTable::Largest::page);
  if (!mapped) free_pages(*page, 1);
  arch::publish_tables();
  return mapped;
}

TableMemory& table_memory() {
  return kernel_tables;
}

}  // namespace pkvmemu::host
