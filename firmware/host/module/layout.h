// SPDX-License-Identifier: GPL-2.0-only
// Where the sections of a module go (pkvm-abi.md 2.6): kinds of memory, which one allocation each
// holds from 6.6 on and two allocations together in 6.1; in them each section at its own alignment,
// so that the page-aligned .hyp sections start on pages. Only sizes and offsets are decided here;
// link.h fills the memory.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "host/module/load_error.h"
#include "host/module/services.h"
#include "image/elf.h"
#include "pkvm/generation.h"

namespace pkvmemu::kmod {

/// Each CPU has its own copy of it.
inline constexpr std::string_view per_cpu_section = ".data..percpu";

/// The kind of memory for a section; nothing for one that is not loaded (no ALLOC flag, .modinfo,
/// __versions) or not among the others (per_cpu_section).
std::optional<MemoryKind> kind_of(const image::Section& section);

/// Branches in a table of relocations that may need a veneer: CALL26 and JUMP26 to sections other
/// than the one that the table is for.
std::uint64_t count_plt_candidates(const image::ElfFile& elf, const image::Section& table);

/// The kinds that share an allocation, in the order of their addresses, each from a page on. The
/// allocation goes by the first one's name.
using MemoryBlock = std::span<const MemoryKind>;
/// All of a module's memory but the loader's scratch.
std::span<const MemoryBlock> memory_blocks(pkvm::Generation generation);

struct LayoutPlan {
  static constexpr std::uint64_t plt_entry_size = 12;  ///< adrp x16; add x16, x16; br x16

  std::array<std::uint64_t, memory_kind_count> size{};
  /// Where the veneers start in `text` and `init_text`, and how many there is room for.
  struct Plt {
    std::uint64_t offset = 0;
    std::uint64_t entries = 0;
  };
  Plt plt;
  Plt init_plt;
};

/// Walks the loaded sections in layout order; `place(section, kind, offset)` is told each one's
/// place. Called twice: once for the sizes, once with memory at hand.
template <typename Place>
Loaded<LayoutPlan> plan_layout(const image::ElfFile& elf, Place place);

/// The offset for a section in an area that is `used` bytes long; nothing when it grows too big.
std::optional<std::uint64_t> next_offset(std::uint64_t used, const image::Section& section);

LoadError too_big(const image::Section& section);

/// Reserves the veneers once the sections are placed.
void reserve_plt(const image::ElfFile& elf, LayoutPlan& plan);

template <typename Place>
Loaded<LayoutPlan> plan_layout(const image::ElfFile& elf, Place place) {
  LayoutPlan plan;
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    const auto section = elf.section(i);
    if (!section) continue;
    const auto kind = kind_of(*section);
    if (!kind) continue;
    std::uint64_t& used = plan.size[static_cast<std::size_t>(*kind)];
    const auto offset = next_offset(used, *section);
    if (!offset) return std::unexpected(too_big(*section));
    place(*section, *kind, *offset);
    used = *offset + section->header.size;
  }
  reserve_plt(elf, plan);
  return plan;
}

}  // namespace pkvmemu::kmod
