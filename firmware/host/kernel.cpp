// SPDX-License-Identifier: GPL-2.0-only
#include "host/kernel.h"

#include <algorithm>
#include <new>
#include <span>

#include "host/arch.h"
#include "host/console.h"
#include "host/early.h"
#include "host/events.h"
#include "host/exported_params.h"
#include "host/exports.h"
#include "host/kvm.h"
#include "host/left_behind.h"
#include "host/memory.h"
#include "host/panic.h"
#include "host/platform_bus.h"
#include "host/stubs.h"
#include "host/task.h"
#include "host/trace.h"
#include "image/cpio.h"
#include "lib/memory.h"
#include "pkvm/platform.h"

namespace pkvmemu::host {

namespace {

/// Permission of each kind of module memory once it is protected, in the order of MemoryKind.
constexpr std::array<Attributes, kmod::memory_kind_count> attributes_of_kind = {
    attributes::kernel_text,    // text
    attributes::kernel_data,    // data
    attributes::kernel_rodata,  // rodata
    attributes::kernel_data,    // ro_after_init
    attributes::kernel_text,    // init_text
    attributes::kernel_data,    // init_data
    attributes::kernel_rodata,  // init_rodata
    attributes::kernel_data,    // scratch
};

constinit std::string_view release;
constinit HostServices services;
alignas(kmod::ModuleLoader) constinit std::byte loader_storage[sizeof(kmod::ModuleLoader)];

/// Ours, where a module's differs (pkvm-abi.md 2.6).
std::string_view vermagic_of(pkvm::Generation generation) {
  constexpr static std::array<std::string_view, pkvm::generation_count> rows = {
      "6.1.75 SMP preempt mod_unload modversions aarch64",
      "6.6.77 SMP preempt mod_unload modversions aarch64",
      "6.12.23 SMP preempt mod_unload modversions aarch64",
  };
  return rows[static_cast<std::size_t>(generation)];
}

/// Through the linear map, as a kernel patches: the module's own mapping may be read-only by now.
void store_anywhere(std::uint64_t at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::uint64_t part =
        std::min<std::uint64_t>(bytes.size(), page_size - (at & low_mask(page_shift)));
    const auto pa = physical_address(at);
    if (!pa)
      panic("store to unmapped module memory at 0x%llx", static_cast<unsigned long long>(at));
    fw::copy_bytes(linear_pointer<void>(*pa), bytes.data(), part);
    bytes = bytes.subspan(part);
    at += part;
  }
}

}  // namespace

std::optional<kmod::Memory> HostServices::allocate(kmod::MemoryKind kind, std::uint64_t size) {
  size = align_up(size, page_size);
  std::optional<std::uint64_t> va;
  if (kind == kmod::MemoryKind::scratch) {
    if (const auto pages = take_zeroed_pages(size >> page_shift)) va = linear_va(*pages);
  } else {
    va = allocate_module_memory(size);
  }
  if (!va) return std::nullopt;
  return kmod::Memory{.address = KernVa{*va},
                      .bytes = {reinterpret_cast<std::byte*>(*va), static_cast<std::size_t>(size)}};
}

void HostServices::free(kmod::MemoryKind kind, const kmod::Memory& memory) {
  const std::uint64_t size = align_up(memory.bytes.size(), page_size);
  if (kind == kmod::MemoryKind::scratch)
    free_pages(linear_pa(memory.address.value), size >> page_shift);
  else
    free_module_memory(memory.address.value, size);
}

void HostServices::protect(kmod::MemoryKind kind, const kmod::Memory& memory) {
  if (kind == kmod::MemoryKind::scratch) return;
  protect_module_memory(memory.address.value, align_up(memory.bytes.size(), page_size),
                        attributes_of_kind[static_cast<std::size_t>(kind)]);
}

void HostServices::sync_icache(const kmod::Memory& memory) {
  arch::clean_dcache(memory.address.value, memory.bytes.size());
  arch::sync_icache();
}

std::optional<KernVa> HostServices::resolve(std::string_view symbol) {
  const auto address = exported_symbol(symbol);
  if (!address) return std::nullopt;
  return KernVa{*address};
}

std::optional<KernVa> HostServices::declared_stub(std::string_view symbol) {
  const auto address = declared_stub_address(symbol);
  if (!address) return std::nullopt;
  return KernVa{*address};
}

std::optional<KernVa> HostServices::stub_for(std::string_view symbol) {
  const auto address = stub_address(symbol);
  if (!address) return std::nullopt;
  return KernVa{*address};
}

int HostServices::set_parameter(KernVa record, const char* value) {
  return set_kernel_parameter(record.value, value);
}

std::optional<Pfn> HostServices::frame_of(KernVa address) {
  const auto pa = physical_address(address.value);
  if (!pa) return std::nullopt;
  return pfn_of(*pa);
}

std::array<std::uint64_t, 4> HostServices::hypercall(const std::array<std::uint64_t, 8>& x) {
  arch::CallRegisters registers = x;
  arch::hvc(registers);
  return {registers[0], registers[1], registers[2], registers[3]};
}

kmod::HypPhase HostServices::hyp_phase() {
  switch (kvm().phase()) {
    case KvmPhase::off:
      return kmod::HypPhase::not_protected;
    case KvmPhase::initialised:
      return kmod::HypPhase::open;
    case KvmPhase::finalised:
      return kmod::HypPhase::finalised;
  }
  return kmod::HypPhase::not_protected;
}

int HostServices::run_init(KernVa init) {
  return reinterpret_cast<int (*)()>(init.value)();
}

void HostServices::store_word(KernVa where, std::uint64_t value) {
  store_anywhere(where.value, std::as_bytes(std::span(&value, 1)));
}

std::optional<kmod::Memory> HostServices::allocate_per_cpu(std::uint64_t size,
                                                           std::uint64_t alignment) {
  return host::allocate_per_cpu(size, alignment);
}

void HostServices::free_per_cpu(const kmod::Memory& memory) {
  host::free_per_cpu(memory);
}

bool HostServices::has_capability(pkvm::cpucaps::Presence kind) {
  switch (kind) {
    case pkvm::cpucaps::Presence::never:
      return false;
    case pkvm::cpucaps::Presence::always:
      return true;
    case pkvm::cpucaps::Presence::protected_mode:
      return kvm().phase() != KvmPhase::off;
    case pkvm::cpucaps::Presence::lse_atomics:
      return arch::has_lse_atomics();
  }
  return false;
}

void HostServices::patch_code(KernVa where, std::uint32_t instruction) {
  store_anywhere(where.value, std::as_bytes(std::span(&instruction, 1)));
  arch::clean_dcache(where.value, sizeof(instruction));
  arch::sync_icache();
}

std::optional<bool> HostServices::key_enabled(KernVa key) {
  if (!physical_address(key.value)) return std::nullopt;
  return *reinterpret_cast<const volatile std::int32_t*>(key.value) > 0;
}

void HostServices::init_failed(const kmod::Module& module) {
  forget_platform_drivers(module);
  forget_work(module);
  forget_notifiers(module);
  forget_iommu_driver(module);
}

void HostServices::el2_loaded(const kmod::Module& module) {
  trace_module(module);
}

void HostServices::message(std::string_view line) {
  printk("%.*s\n", static_cast<int>(line.size()), line.data());
}

void HostServices::event(const pkvm::event::Record& record) {
  events().emit(record);
}

void loader_init(const CommandLine& line) {
  const pkvm::Generation generation = line.generation;
  release = pkvm::info(generation).kernel_release;
  new (loader_storage) kmod::ModuleLoader(
      services, {.generation = generation,
                 .defects = line.defects,
                 .release = release,
                 .vermagic = vermagic_of(generation),
                 .initramfs = initramfs(),
                 .command_line = boot_state.info.arguments(),
                 .el2_only_script = line.el2_only ? rc_script() : std::string_view{}});
}

kmod::ModuleLoader& loader() {
  return *std::launder(reinterpret_cast<kmod::ModuleLoader*>(loader_storage));
}

std::string_view kernel_release() {
  return release;
}

std::string_view rc_script() {
  const auto file = image::find_file(initramfs(), pkvm::platform::rc_path);
  if (!file || !*file) return {};
  const image::ByteView data = (*file)->data;
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

image::ByteView initramfs() {
  const PhysRange& range = boot_state.info.initrd;
  if (range.empty()) return {};
  return {linear_pointer<const std::byte>(range.base), static_cast<std::size_t>(range.size)};
}

}  // namespace pkvmemu::host
