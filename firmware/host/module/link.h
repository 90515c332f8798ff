// SPDX-License-Identifier: GPL-2.0-only
// The ordinary module linker: memory for each kind, sections copied in, symbols resolved, RELA
// relocations applied with the kernel's overflow rules, branches that do not reach sent through
// veneers (pkvm-abi.md 2.6). Sections are found by header and relocation targets by sh_info, never
// by the name of a .rela section. .altinstructions, jump labels, __bug_table and
// __patchable_function_entries are relocated like other data; alternatives.h and jump_labels.h do
// the rest for the first two.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "host/module/layout.h"
#include "host/module/module.h"
#include "image/relocate.h"

namespace pkvmemu::kmod {

class Linker {
 public:
  /// `earlier`: modules whose exports count beside the kernel's.
  Linker(KernelServices& services, pkvm::Generation generation, std::span<const Module> earlier,
         Module& module)
      : services_(services), generation_(generation), earlier_(earlier), module_(module) {}

  /// All of it. On failure the memory taken so far is in the record, for the caller to give back.
  Loaded<void> link();

 private:
  enum class Unresolved : std::uint8_t { refused, stubbed };
  struct Site {
    const image::Section& section;
    image::RelaEntry rela;
    const image::RelocRow& row;
  };

  Loaded<void> take_tables();
  Loaded<void> take_memory();
  Loaded<void> take_block(MemoryBlock block);
  Loaded<std::span<std::byte>> take_scratch(std::uint64_t size);
  Loaded<void> place_sections();
  Loaded<void> place_per_cpu();
  [[nodiscard]] bool is_per_cpu(const image::Section& section) const;
  Loaded<void> resolve_symbols();
  Loaded<std::uint64_t> resolve(const image::Symbol& symbol);
  void report_unresolved(std::string_view symbol, Unresolved what);
  std::optional<KernVa> find_import(std::string_view name) const;
  Loaded<void> relocate_all();
  Loaded<void> relocate_section(const image::Section& table, const image::Section& target);
  Loaded<void> apply(const Site& site);
  [[nodiscard]] bool is_left_out(const Site& site) const;
  std::optional<std::uint64_t> veneer(const Site& site, std::uint64_t target);
  [[nodiscard]] LoadError at(const Site& site, Problem what) const;

  KernelServices& services_;
  pkvm::Generation generation_;
  std::span<const Module> earlier_;
  Module& module_;
  LayoutPlan plan_;
};

/// The twelve bytes of a branch veneer at `place`; nothing when ADRP does not reach `target`.
std::optional<std::array<std::uint32_t, 3>> encode_veneer(std::uint64_t place,
                                                          std::uint64_t target);

}  // namespace pkvmemu::kmod
