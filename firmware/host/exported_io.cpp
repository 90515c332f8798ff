// SPDX-License-Identifier: GPL-2.0-only
// Physical addresses for drivers: mappings of device registers and of memory, copies to and from
// them, memory for DMA (the addresses of which are physical ones), and calls of the secure world.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "host/arch.h"
#include "host/device.h"
#include "host/early.h"
#include "host/memory.h"
#include "host/resource.h"
#include "pkvm/errno.h"
#include "support/bits.h"

namespace host = pkvmemu::host;
using host::Device;
using host::Resource;
using pkvm::Errno;
using pkvm::negated;
using pkvmemu::Pa;

extern "C" {
void* export_kmalloc(std::size_t size, unsigned flags);
unsigned long export_get_free_pages(unsigned flags, unsigned order);
void export_free_pages(unsigned long address, unsigned order);
/// firmware/lib/smc.S.
void pkvm_smc(std::uint64_t* registers);
}

namespace {

constexpr unsigned gfp_zero = 0x100;

/// In the linear map.
bool is_ram(std::uint64_t address) {
  const auto covers = [address](const host::PhysRange& range) {
    return address >= range.base.value && address - range.base.value < range.size;
  };
  const auto is_kept_out = [&covers](const host::Reserved& reserved) {
    return reserved.nomap && covers(reserved.range);
  };
  return std::ranges::none_of(host::boot_state.info.reserved.all(), is_kept_out) &&
         std::ranges::any_of(host::boot_state.info.memory.all(), covers);
}

std::uint64_t error_pointer(Errno error) {
  return static_cast<std::uint64_t>(std::int64_t{negated(error)});
}

unsigned order_of(std::size_t size) {
  unsigned order = 0;
  while ((pkvmemu::page_size << order) < size)
    ++order;
  return order;
}

void copy_answer(const host::arch::CallRegisters& x, std::uint64_t* result) {
  if (result == nullptr) return;
  for (std::size_t i = 0; i < 4; ++i)
    result[i] = x[i];
}

}  // namespace

extern "C" {

/// 0 for RAM, which the kernel maps in its own way: as the kernel answers.
std::uint64_t export_ioremap(std::uint64_t address, std::size_t size) {
  if (size == 0 || is_ram(address)) return 0;
  return host::map_device(Pa{address}, size);
}
void export_iounmap(volatile void* /*address*/) {}

std::uint64_t export_memremap(std::uint64_t address, std::size_t size, unsigned long /*flags*/) {
  if (size == 0) return 0;
  if (is_ram(address)) return host::linear_va(Pa{address});
  return host::map_memory(Pa{address}, size).value_or(0);
}
void export_memunmap(void* /*address*/) {}

std::uint64_t export_devm_ioremap(const Device* /*device*/, std::uint64_t address,
                                  std::size_t size) {
  return export_ioremap(address, size);
}
std::uint64_t export_devm_ioremap_resource(const Device* /*device*/, const Resource* resource) {
  if (resource == nullptr || (resource->flags & host::resource_memory) == 0)
    return error_pointer(Errno::einval);
  const std::uint64_t address =
      export_ioremap(resource->start, resource->end - resource->start + 1);
  return address == 0 ? error_pointer(Errno::enomem) : address;
}

/// Regions are not kept: nobody else asks for them.
Resource* export_request_region(Resource* /*parent*/, std::uint64_t start, std::uint64_t size,
                                const char* name, int /*flags*/) {
  auto* region = static_cast<Resource*>(export_kmalloc(sizeof(Resource), gfp_zero));
  if (region != nullptr) *region = host::memory_resource(start, size, name);
  return region;
}
Resource* export_devm_request_region(const Device* /*device*/, Resource* parent,
                                     std::uint64_t start, std::uint64_t size, const char* name) {
  return export_request_region(parent, start, size, name, 0);
}
void export_release_region(Resource* /*parent*/, std::uint64_t /*start*/, std::uint64_t /*size*/) {}
Resource export_iomem_resource = {};

void export_memcpy_fromio(void* to, const volatile void* from, std::size_t size) {
  auto* bytes = static_cast<std::uint8_t*>(to);
  const auto* device = static_cast<const volatile std::uint8_t*>(from);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = device[i];
}
void export_memcpy_toio(volatile void* to, const void* from, std::size_t size) {
  auto* device = static_cast<volatile std::uint8_t*>(to);
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  for (std::size_t i = 0; i < size; ++i)
    device[i] = bytes[i];
}
void export_memset_io(volatile void* to, int value, std::size_t size) {
  auto* device = static_cast<volatile std::uint8_t*>(to);
  for (std::size_t i = 0; i < size; ++i)
    device[i] = static_cast<std::uint8_t>(value);
}

/// No IOMMU and no other addresses: a device sees physical ones.
void* export_dma_alloc(const Device* /*device*/, std::size_t size, std::uint64_t* handle,
                       unsigned flags, unsigned long /*attributes*/) {
  const unsigned long address = export_get_free_pages(flags | gfp_zero, order_of(size));
  if (address == 0) return nullptr;
  *handle = host::linear_pa(address).value;
  return reinterpret_cast<void*>(address);
}
void export_dma_free(const Device* /*device*/, std::size_t size, void* address,
                     std::uint64_t /*handle*/, unsigned long /*attributes*/) {
  export_free_pages(reinterpret_cast<std::uint64_t>(address), order_of(size));
}
int export_dma_set_mask(Device* /*device*/, std::uint64_t /*mask*/) {
  return 0;
}

void export_smccc_smc(std::uint64_t a0, std::uint64_t a1, std::uint64_t a2, std::uint64_t a3,
                      std::uint64_t a4, std::uint64_t a5, std::uint64_t a6, std::uint64_t a7,
                      std::uint64_t* result, const void* /*quirk*/) {
  host::arch::CallRegisters x = {a0, a1, a2, a3, a4, a5, a6, a7};
  host::arch::smc(x);
  copy_answer(x, result);
}
void export_smccc_hvc(std::uint64_t a0, std::uint64_t a1, std::uint64_t a2, std::uint64_t a3,
                      std::uint64_t a4, std::uint64_t a5, std::uint64_t a6, std::uint64_t a7,
                      std::uint64_t* result, const void* /*quirk*/) {
  host::arch::CallRegisters x = {a0, a1, a2, a3, a4, a5, a6, a7};
  host::arch::hvc(x);
  copy_answer(x, result);
}
/// All of x0 to x17.
void export_smccc_1_2_smc(const std::uint64_t* arguments, std::uint64_t* result) {
  std::array<std::uint64_t, 18> x{};
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = arguments[i];
  pkvm_smc(x.data());
  for (std::size_t i = 0; i < x.size(); ++i)
    result[i] = x[i];
}
/// PSCI says that the conduit is SMC (the board's devicetree).
int export_smccc_conduit() {
  constexpr int conduit_smc = 1;
  return conduit_smc;
}
std::uint32_t export_smccc_version() {
  constexpr std::uint32_t version_1_1 = 0x1'0001;
  return version_1_1;
}
}
