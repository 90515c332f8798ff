// SPDX-License-Identifier: GPL-2.0-only
// The kernel's memory after boot: free pages, its page tables, the linear map, mappings of devices
// and of module memory.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "host/boot_info.h"
#include "host/descriptor.h"
#include "host/page_table.h"
#include "pkvm/platform.h"
#include "support/address.h"

namespace pkvmemu::host {

/// Once, first thing at kernel addresses.
void memory_init();

/// Linear-map address of a PA, and back.
std::uint64_t linear_va(Pa pa);
Pa linear_pa(std::uint64_t va);
template <typename T>
T* linear_pointer(Pa pa) {
  return reinterpret_cast<T*>(linear_va(pa));
}

/// `count` contiguous pages, not zeroed.
std::optional<Pa> take_pages(std::uint64_t count, std::uint64_t alignment = 1);
/// For the kernel's own records, which no fault of a plan takes away (Heap::allocate_record).
std::optional<Pa> take_record_pages(std::uint64_t count);
std::optional<Pa> take_zeroed_pages(std::uint64_t count, std::uint64_t alignment = 1);
/// From the end of RAM, for what is never given back.
std::optional<Pa> take_high_pages(std::uint64_t count, std::uint64_t alignment);
void free_pages(Pa first, std::uint64_t count);

/// Of all that the devicetree calls memory, reserved or not.
bool is_ram(Pa pa);

/// Any PA behind a kernel address.
std::optional<Pa> physical_address(std::uint64_t va);

/// Maps for ever.
std::uint64_t map_device(Pa pa, std::uint64_t size);
/// Maps memory that the linear map leaves out; unmap_memory undoes it.
std::optional<std::uint64_t> map_memory(Pa pa, std::uint64_t size);
/// Maps the page of each of these, one behind the other, at addresses of their own; unmap_memory
/// undoes it.
std::optional<std::uint64_t> map_together(std::span<const Pa> pages);
void unmap_memory(std::uint64_t va, std::uint64_t size);

/// Whether there are tables for map_touched; once there are, they stay.
bool prepare_touch();
/// The page of `pa` and the one behind it, at KernelLayout::touch_begin(): the address of `pa`.
std::uint64_t map_touched(Pa pa, Attributes how);
void unmap_touched();

/// Zeroed pages at consecutive addresses of the module window, writable.
std::optional<std::uint64_t> allocate_module_memory(std::uint64_t size);
void free_module_memory(std::uint64_t va, std::uint64_t size);
void protect_module_memory(std::uint64_t va, std::uint64_t size, Attributes how);

/// A page of the kernel's own records at a fixed address, for ever; no fault of a plan takes it
/// away.
bool map_record_page(std::uint64_t va);

/// Tables for another regime, in pages of this kernel.
TableMemory& table_memory();

}  // namespace pkvmemu::host
