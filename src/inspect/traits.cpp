// SPDX-License-Identifier: GPL-2.0-only
// How files that vendors ship differ in form from those that a kernel's build makes (pkvm-abi.md
// 2.2): none of it keeps a module from loading, all of it surprises tools that go by names.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/problems.h"

namespace pkvmemu::inspect {
namespace {

using image::Section;

constexpr unsigned bind_local = 0;
constexpr unsigned symbol_object = 1;
constexpr std::string_view hyp_prefix = ".hyp.";
constexpr std::string_view rela_prefix = ".rela";

/// The sections of the EL2 half, as the file has them; empty ones, too.
std::vector<const Section*> hyp_sections(const ModuleIndex& module) {
  std::vector<const Section*> found;
  for (const Section& section : module.sections())
    if (section.allocated() && find_hyp_section(section.name) != nullptr) found.push_back(&section);
  return found;
}

std::string names_of(const std::vector<const Section*>& sections) {
  std::vector<std::string_view> names;
  for (const Section* section : sections)
    names.push_back(section->name);
  return examples(names);
}

using Told = std::optional<std::string>;

Told misnamed_relocations(const ModuleIndex& module, const Facts& /*facts*/) {
  std::vector<std::string> found;
  for (const Section& table : module.sections()) {
    if (table.header.type != image::elf::section_rela) continue;
    if (table.header.info >= module.sections().size()) continue;
    const std::string_view target = module.sections()[table.header.info].name;
    if (!target.starts_with(hyp_prefix)) continue;
    const bool named =
        table.name.starts_with(rela_prefix) && table.name.substr(rela_prefix.size()) == target;
    if (!named) found.push_back(fmt::format("{} patches {}", table.name, target));
  }
  if (found.empty()) return std::nullopt;
  return fmt::format("{}: sh_info tells, not the name", examples(found));
}

Told merge_flags(const ModuleIndex& module, const Facts& /*facts*/) {
  std::vector<const Section*> found = hyp_sections(module);
  std::erase_if(
      found, [](const Section* own) { return (own->header.flags & image::elf::flag_merge) == 0; });
  if (found.empty()) return std::nullopt;
  return fmt::format("{}: loaders merge nothing", names_of(found));
}

/// What a section has to allow or not, when it has content.
bool has_odd_flags(const Section& section) {
  // Event ids and function entries are written by the kernel at EL1: their flags vary.
  constexpr std::array<std::string_view, 4> fixed = {".hyp.text", ".hyp.bss", ".hyp.rodata",
                                                     ".hyp.data"};
  if (std::ranges::find(fixed, section.name) == fixed.end()) return false;
  const HypSectionRow* row = find_hyp_section(section.name);
  const auto has = [&](std::uint64_t flag) { return (section.header.flags & flag) != 0; };
  return has(image::elf::flag_write) != row->permission.contains('w') ||
         has(image::elf::flag_exec) != row->permission.contains('x');
}

Told odd_empty_sections(const ModuleIndex& module, const Facts& /*facts*/) {
  std::vector<const Section*> found = hyp_sections(module);
  std::erase_if(found,
                [](const Section* own) { return own->header.size != 0 || !has_odd_flags(*own); });
  if (found.empty()) return std::nullopt;
  return fmt::format("{}: empty, so no matter", names_of(found));
}

Told only_text(const ModuleIndex& module, const Facts& facts) {
  std::vector<const Section*> found = hyp_sections(module);
  std::erase_if(found, [](const Section* own) { return own->header.size == 0; });
  if (!facts.has_hyp || found.size() != 1) return std::nullopt;
  return fmt::format("{} is all of the EL2 half", found.front()->name);
}

Told other_order(const ModuleIndex& module, const Facts& facts) {
  // The order in which a kernel's linker script writes them.
  constexpr std::array<std::string_view, 6> usual = {
      ".hyp.text", ".hyp.bss", ".hyp.rodata", ".hyp.event_ids", ".hyp.patchable_function_entries",
      ".hyp.data"};
  const std::vector<const Section*> found = hyp_sections(module);
  const auto place = [&](const Section* own) { return std::ranges::find(usual, own->name); };
  if (!facts.has_hyp || std::ranges::is_sorted(found, {}, place)) return std::nullopt;
  std::vector<std::string_view> names;
  for (const Section* own : found)
    names.push_back(own->name);
  return fmt::format("{}: another linker or script than a kernel's", fmt::join(names, ", "));
}

Told separate_sections(const ModuleIndex& module, const Facts& /*facts*/) {
  std::vector<std::string_view> found;
  for (const Section& section : module.sections())
    for (const std::string_view prefix : {".text.", ".data.", ".rodata.", ".bss."})
      if (section.allocated() && section.header.size != 0 && section.name.starts_with(prefix) &&
          !section.name.starts_with(".rodata.str") && !section.name.starts_with(".data..") &&
          !section.name.starts_with(".text.ftrace"))
        found.push_back(section.name);
  if (found.empty()) return std::nullopt;
  return fmt::format("{}: the linker script did not gather them", examples(found));
}

Told left_out_of_el2(const ModuleIndex& module, const Facts& facts) {
  constexpr std::array<std::string_view, 2> for_the_kernel = {".hyp.reloc", ".hyp.printk_fmts"};
  std::vector<const Section*> found;
  for (const Section& section : module.sections())
    if (section.allocated() && section.header.size != 0 && section.name.starts_with(hyp_prefix) &&
        find_hyp_section(section.name) == nullptr &&
        std::ranges::find(for_the_kernel, section.name) == for_the_kernel.end())
      found.push_back(&section);
  if (!facts.has_hyp || found.empty()) return std::nullopt;
  return fmt::format("{}: no kernel maps it at EL2, whatever its name", names_of(found));
}

Told no_debug(const ModuleIndex& module, const Facts& /*facts*/) {
  const bool any = std::ranges::any_of(
      module.sections(), [](const Section& own) { return own.name.starts_with(".debug_"); });
  if (any) return std::nullopt;
  return "no source lines in panics and traces";
}

Told no_local_symbols(const ModuleIndex& module, const Facts& /*facts*/) {
  // Of a file's own, a function's or a variable's; mapping and section symbols are never stripped.
  constexpr std::array<unsigned, 3> named = {image::elf::symbol_file, image::elf::symbol_function,
                                             symbol_object};
  const bool any = std::ranges::any_of(module.symbols(), [&](const image::Symbol& own) {
    return own.binding() == bind_local && std::ranges::find(named, own.type()) != named.end();
  });
  if (any) return std::nullopt;
  return "static functions that nothing refers to by name have none";
}

struct TraitRow {
  std::string_view name;
  Told (*look)(const ModuleIndex& module, const Facts& facts);
};

constexpr std::array trait_rows = {
    TraitRow{"relocations under other names", misnamed_relocations},
    TraitRow{"merge flags at EL2", merge_flags},
    TraitRow{"odd flags at EL2", odd_empty_sections},
    TraitRow{"EL2 code only", only_text},
    TraitRow{"sections in another order", other_order},
    TraitRow{"sections of single functions or variables", separate_sections},
    TraitRow{"sections left out of EL2", left_out_of_el2},
    TraitRow{"no debug information", no_debug},
    TraitRow{"no local symbols", no_local_symbols},
};

}  // namespace

std::vector<TraitFact> find_traits(const ModuleIndex& module, const Facts& facts) {
  std::vector<TraitFact> found;
  for (const TraitRow& row : trait_rows)
    if (auto told = row.look(module, facts))
      found.push_back({.name = std::string(row.name), .text = std::move(*told)});
  return found;
}

}  // namespace pkvmemu::inspect
