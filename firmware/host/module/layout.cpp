// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/layout.h"

#include <algorithm>

#include "image/relocate.h"
#include "support/bits.h"

namespace pkvmemu::kmod {
namespace {

/// More than a module window holds: such a size is a damaged file.
constexpr std::uint64_t area_limit = std::uint64_t{128} << 20;
constexpr std::uint64_t plt_alignment = 64;

struct KindRow {
  std::uint64_t flags;    ///< all of these are set
  std::uint64_t without;  ///< none of these is
  MemoryKind core;
  MemoryKind init;
};

// The first row that fits decides.
constexpr std::array kind_rows = {
    KindRow{image::elf::flag_exec, 0, MemoryKind::text, MemoryKind::init_text},
    KindRow{0, image::elf::flag_write, MemoryKind::rodata, MemoryKind::init_rodata},
    KindRow{image::elf::flag_write, 0, MemoryKind::data, MemoryKind::init_data},
};

constexpr std::array<std::string_view, 3> never_loaded = {".modinfo", "__versions",
                                                          per_cpu_section};
constexpr std::array<std::string_view, 2> read_only_later = {".data..ro_after_init",
                                                             "__jump_table"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_branch(std::uint32_t type) {
  return type == image::reloc_call26 || type == image::reloc_jump26;
}

}  // namespace

std::span<const MemoryBlock> memory_blocks(pkvm::Generation generation) {
  using enum MemoryKind;
  // 6.1: core_layout and init_layout.
  static constexpr std::array core = {text, rodata, ro_after_init, data};
  static constexpr std::array init = {init_text, init_rodata, init_data};
  static constexpr std::array<MemoryBlock, 2> two = {core, init};
  // From 6.6 on.
  static constexpr std::array kinds = {text,      data,      rodata,     ro_after_init,
                                       init_text, init_data, init_rodata};
  static constexpr std::array<MemoryBlock, 7> separate = {
      MemoryBlock(kinds).subspan(0, 1), MemoryBlock(kinds).subspan(1, 1),
      MemoryBlock(kinds).subspan(2, 1), MemoryBlock(kinds).subspan(3, 1),
      MemoryBlock(kinds).subspan(4, 1), MemoryBlock(kinds).subspan(5, 1),
      MemoryBlock(kinds).subspan(6, 1)};
  static constexpr std::array<std::span<const MemoryBlock>, pkvm::generation_count> rows = {
      two, separate, separate};
  return rows[static_cast<std::size_t>(generation)];
}

std::optional<MemoryKind> kind_of(const image::Section& section) {
  if (!section.allocated() || is_one_of(never_loaded, section.name)) return std::nullopt;
  if (is_one_of(read_only_later, section.name)) return MemoryKind::ro_after_init;
  const bool init = section.name.starts_with(".init");
  for (const KindRow& row : kind_rows) {
    if ((section.header.flags & row.flags) != row.flags) continue;
    if ((section.header.flags & row.without) != 0) continue;
    return init ? row.init : row.core;
  }
  return std::nullopt;
}

std::uint64_t count_plt_candidates(const image::ElfFile& elf, const image::Section& table) {
  std::uint64_t count = 0;
  for (std::uint32_t n = 0; n < image::ElfFile::rela_count(table); ++n) {
    const auto rela = image::ElfFile::rela(table, n);
    if (!rela || !is_branch(rela->type())) continue;
    const auto symbol = elf.symbol(rela->symbol());
    if (symbol && symbol->entry.section != table.header.info) ++count;
  }
  return count;
}

std::optional<std::uint64_t> next_offset(std::uint64_t used, const image::Section& section) {
  // Areas start on pages, so that no alignment above a page can be kept.
  const std::uint64_t alignment = std::clamp<std::uint64_t>(section.header.alignment, 1, page_size);
  const std::uint64_t offset = align_up(used, alignment);
  if (section.header.size > area_limit || offset > area_limit - section.header.size)
    return std::nullopt;
  return offset;
}

LoadError too_big(const image::Section& section) {
  return {.problem = Problem::no_memory,
          .step = Step::relocate,
          .status = negated(Errno::enomem),
          .name = {},
          .other = section.name,
          .relocation = {},
          .offset = 0,
          .expected = section.header.size,
          .found = 0,
          .image = {}};
}

void reserve_plt(const image::ElfFile& elf, LayoutPlan& plan) {
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    const auto table = elf.section(i);
    if (!table || table->header.type != image::elf::section_rela) continue;
    const auto target = elf.section(table->header.info);
    const auto kind = target ? kind_of(*target) : std::nullopt;
    if (kind == MemoryKind::text) plan.plt.entries += count_plt_candidates(elf, *table);
    if (kind == MemoryKind::init_text) plan.init_plt.entries += count_plt_candidates(elf, *table);
  }
  const auto append = [&plan](LayoutPlan::Plt& plt, MemoryKind kind) {
    std::uint64_t& used = plan.size[static_cast<std::size_t>(kind)];
    plt.offset = align_up(used, plt_alignment);
    if (plt.entries != 0) used = plt.offset + plt.entries * LayoutPlan::plt_entry_size;
  };
  append(plan.plt, MemoryKind::text);
  append(plan.init_plt, MemoryKind::init_text);
}

}  // namespace pkvmemu::kmod
