// SPDX-License-Identifier: GPL-2.0-only
// The kernel's record of one module: where its sections lie, its EL2 image, how its load went. The
// file it came from stays in memory with the initramfs, so names and symbols are views into it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "host/module/arch_hyp.h"
#include "host/module/load_error.h"
#include "host/module/services.h"
#include "image/ko.h"
#include "support/address.h"

namespace pkvmemu::kmod {

inline constexpr std::size_t max_modules = 32;

enum class ModuleState : std::uint8_t {
  free,     ///< the record is unused
  loading,  ///< its init has not returned
  live,
  failed,  ///< its init failed, but EL2 still owns its pages or knows its handlers
};

/// One section of the file as it lies in memory; `bytes` is empty for what is not loaded.
struct PlacedSection {
  std::uint64_t address = 0;
  std::span<std::byte> bytes;
};

/// A recorded .hyp section; absent ones have both addresses 0, empty ones equal addresses.
struct HypRange {
  HypPart part = HypPart::text;
  KernVa start;
  KernVa end;
};

/// The EL2 half, as discovery found it and the load left it (pkvm-abi.md 2.3 to 2.5, 3.2).
struct HypImage {
  bool present = false;  ///< .hyp.text exists and is not empty
  std::array<HypRange, hyp_part_count> parts{};
  KernVa relocs;
  std::uint32_t reloc_count = 0;
  /// arch.hyp inside this_module; unknown for a foreign layout until the load call.
  std::optional<std::uint64_t> struct_offset;
  KernVa start;  ///< lowest section: base of kernel-to-hyp address arithmetic
  KernVa end;
  HypVa token;  ///< hyp VA of `start`
  bool loaded = false;
  bool imports = false;  ///< it may call into other modules' EL2 halves (2.7)
  /// _hyp_events and .hyp.printk_fmts (2.8). The kernel numbers the events in the order of loads.
  KernVa events;
  std::uint32_t event_count = 0;
  std::uint16_t first_event_id = 0;
  KernVa printk_formats;
  std::uint32_t printk_format_count = 0;

  [[nodiscard]] constexpr bool contains(HypVa address) const { return loaded && covers(address); }
  /// So do its addresses while it is being loaded, in its init, too.
  [[nodiscard]] constexpr bool covers(HypVa address) const {
    return token.value != 0 && address >= token && address - token < end - start;
  }
  [[nodiscard]] constexpr HypVa hyp_address(KernVa address) const {
    return token + (address - start);
  }
  [[nodiscard]] constexpr KernVa kernel_address(HypVa address) const {
    return start + (address - token);
  }
};

/// A symbol and how far into it an address lies.
struct SymbolHit {
  std::string_view name;
  std::uint64_t offset = 0;
};

struct Module {
  static constexpr std::size_t name_size = 56;

  ModuleState state = ModuleState::free;
  bool requested_as_protected = false;
  bool el2_only = false;  ///< its EL1 half never runs (el2_only.h)
  std::array<char, name_size> name_text{};
  std::size_t name_length = 0;
  std::string_view path;  ///< in the initramfs
  image::KoFile file;
  int references = 0;

  std::array<std::optional<Memory>, memory_kind_count> memory{};
  /// The allocations that those lie in, by the first kind of each (layout.h, MemoryBlock).
  std::array<std::optional<Memory>, memory_kind_count> blocks{};
  /// Its .data..percpu.
  std::optional<Memory> per_cpu;
  /// Indexed by the file's section and symbol numbers; in scratch memory.
  std::span<PlacedSection> sections;
  std::span<std::uint64_t> symbols;
  /// Room for branch veneers at the end of `text` and of `init_text`.
  struct Plt {
    std::uint64_t address = 0;
    std::span<std::byte> bytes;
    std::size_t used = 0;
  };
  Plt plt;
  Plt init_plt;

  KernVa init;  ///< 0 without one
  HypImage hyp;
  /// The last EL2 load's failure, kept because EL1's init only passes a number on.
  LoadError hyp_error;

  [[nodiscard]] std::string_view name() const { return {name_text.data(), name_length}; }
  void set_name(std::string_view text);

  [[nodiscard]] KernVa this_module() const;
  [[nodiscard]] std::span<std::byte> this_module_bytes() const;
  /// The memory behind `size` bytes at a kernel address of this module; empty outside.
  [[nodiscard]] std::span<std::byte> bytes_at(KernVa address, std::uint64_t size) const;
  [[nodiscard]] bool contains(KernVa address) const { return !bytes_at(address, 1).empty(); }

  /// The NUL-terminated text at a kernel address of this module; empty when there is none.
  [[nodiscard]] std::string_view text_at(KernVa address) const;

  /// Best named symbol at or below an address, in the same section.
  [[nodiscard]] std::optional<SymbolHit> symbol_at(KernVa address) const;
  /// Address of a symbol that the file defines.
  [[nodiscard]] std::optional<KernVa> symbol_address(std::string_view wanted) const;
  /// What the module exports under a name: an entry of __ksymtab or __ksymtab_gpl, or at least a
  /// symbol __ksymtab_NAME.
  [[nodiscard]] std::optional<KernVa> exported(std::string_view wanted) const;

 private:
  [[nodiscard]] std::optional<KernVa> exported_entry(std::string_view wanted) const;
};

/// struct module is laid out as in our kernel of the generation: the size is the same, and so is
/// the place of `init`, as far as the module has one (pkvm-abi.md 2.4). Needs relocated sections.
bool has_usual_layout(pkvm::Generation generation, const Module& module);

/// Module names are equal when they differ only in '-' and '_'.
bool same_module_name(std::string_view a, std::string_view b);

}  // namespace pkvmemu::kmod
