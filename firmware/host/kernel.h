// SPDX-License-Identifier: GPL-2.0-only
// The kernel around the module subsystem: its services, and the one loader that uses them.
#pragma once

#include <string_view>

#include "host/command_line.h"
#include "host/exceptions.h"
#include "host/module/loader.h"
#include "host/module/services.h"
#include "pkvm/generation.h"

namespace pkvmemu::host {

class HostServices final : public kmod::KernelServices {
 public:
  std::optional<kmod::Memory> allocate(kmod::MemoryKind kind, std::uint64_t size) override;
  void free(kmod::MemoryKind kind, const kmod::Memory& memory) override;
  void protect(kmod::MemoryKind kind, const kmod::Memory& memory) override;
  void sync_icache(const kmod::Memory& memory) override;
  std::optional<KernVa> resolve(std::string_view symbol) override;
  std::optional<KernVa> declared_stub(std::string_view symbol) override;
  std::optional<KernVa> stub_for(std::string_view symbol) override;
  std::optional<Pfn> frame_of(KernVa address) override;
  std::array<std::uint64_t, 4> hypercall(const std::array<std::uint64_t, 8>& x) override;
  kmod::HypPhase hyp_phase() override;
  int run_init(KernVa init) override;
  int set_parameter(KernVa record, const char* value) override;
  void store_word(KernVa where, std::uint64_t value) override;
  std::optional<kmod::Memory> allocate_per_cpu(std::uint64_t size,
                                               std::uint64_t alignment) override;
  void free_per_cpu(const kmod::Memory& memory) override;
  bool has_capability(pkvm::cpucaps::Presence kind) override;
  void patch_code(KernVa where, std::uint32_t instruction) override;
  std::optional<bool> key_enabled(KernVa key) override;
  void init_failed(const kmod::Module& module) override;
  void el2_loaded(const kmod::Module& module) override;
  void message(std::string_view line) override;
  void event(const pkvm::event::Record& record) override;
};

/// Makes the loader; once, before anything is loaded.
void loader_init(const CommandLine& line);
kmod::ModuleLoader& loader();
/// Directory of our modules under lib/modules.
std::string_view kernel_release();

/// The initramfs; empty without one.
image::ByteView initramfs();
/// /pkvm-emu.rc in it; empty when there is none.
std::string_view rc_script();

/// What a module's bug table knows of a kernel address (of its EL2 code too).
std::optional<NamedBug> find_module_bug(std::uint64_t address);

/// For %pS: "symbol+0x10 [module]", "kernel+0x1234".
std::size_t name_address(std::uint64_t address, std::span<char> out);

}  // namespace pkvmemu::host
