// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/module.h"

#include <algorithm>
#include <cstddef>

#include "image/text.h"

namespace pkvmemu::kmod {
namespace {

constexpr char plain(char c) {
  return c == '-' ? '_' : c;
}

/// struct kernel_symbol: distances from each field to what it names.
struct KernelSymbol {
  std::int32_t value;
  std::int32_t name;
  std::int32_t name_space;
};
static_assert(sizeof(KernelSymbol) == 12);

constexpr KernVa relative(std::uint64_t from, std::int32_t distance) {
  return KernVa{from + static_cast<std::uint64_t>(std::int64_t{distance})};
}

/// A symbol that a person would call the place by.
bool is_named_place(const image::Symbol& symbol) {
  return symbol.in_section() && !symbol.name.empty() && !symbol.is_mapping() &&
         symbol.type() != image::elf::symbol_section && symbol.type() != image::elf::symbol_file;
}

}  // namespace

bool same_module_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (plain(a[i]) != plain(b[i])) return false;
  return true;
}

bool has_usual_layout(pkvm::Generation generation, const Module& module) {
  const pkvm::ModuleLayout& layout = pkvm::info(generation).module;
  const auto own = module.this_module_bytes();
  if (own.size() != layout.size) return false;
  const auto init = module.symbol_address("init_module");
  if (!init) return true;
  std::uint64_t word = 0;
  __builtin_memcpy(&word, own.data() + layout.init, sizeof(word));
  return word == init->value;
}

void Module::set_name(std::string_view text) {
  name_length = std::min(text.size(), name_size - 1);
  for (std::size_t i = 0; i < name_length; ++i)
    name_text[i] = text[i];
}

KernVa Module::this_module() const {
  return KernVa{sections[file.this_module().index].address};
}

std::span<std::byte> Module::this_module_bytes() const {
  return sections[file.this_module().index].bytes;
}

std::span<std::byte> Module::bytes_at(KernVa address, std::uint64_t size) const {
  for (const auto& area : memory) {
    if (!area || address < area->address) continue;
    const std::uint64_t offset = address - area->address;
    if (offset > area->bytes.size() || size > area->bytes.size() - offset) continue;
    return area->bytes.subspan(offset, size);
  }
  return {};
}

std::string_view Module::text_at(KernVa address) const {
  for (const auto& area : memory) {
    if (!area || address < area->address || address - area->address >= area->bytes.size()) continue;
    const auto text = image::Stream(area->bytes).string(address - area->address);
    return text ? *text : std::string_view{};
  }
  return {};
}

std::optional<SymbolHit> Module::symbol_at(KernVa address) const {
  std::optional<SymbolHit> best;
  bool best_is_function = false;
  for (std::uint32_t i = 1; i < symbols.size(); ++i) {
    const auto symbol = file.elf().symbol(i);
    if (!symbol || !is_named_place(*symbol) || symbols[i] > address.value) continue;
    const PlacedSection& section = sections[symbol->entry.section];
    if (section.bytes.empty() || address.value - section.address >= section.bytes.size()) continue;
    const std::uint64_t offset = address.value - symbols[i];
    const bool is_function = symbol->type() == image::elf::symbol_function;
    if (best && offset > best->offset) continue;
    if (best && offset == best->offset && (best_is_function || !is_function)) continue;
    best = SymbolHit{.name = symbol->name, .offset = offset};
    best_is_function = is_function;
  }
  return best;
}

std::optional<KernVa> Module::symbol_address(std::string_view wanted) const {
  const auto symbol = file.elf().find_defined(wanted);
  if (!symbol || symbol->index >= symbols.size()) return std::nullopt;
  return KernVa{symbols[symbol->index]};
}

std::optional<KernVa> Module::exported_entry(std::string_view wanted) const {
  for (const std::string_view table : {"__ksymtab", "__ksymtab_gpl"}) {
    const auto section = file.elf().find_section(table);
    if (!section || section->index >= sections.size()) continue;
    const PlacedSection& placed = sections[section->index];
    for (std::size_t at = 0; placed.bytes.size() - at >= sizeof(KernelSymbol);
         at += sizeof(KernelSymbol)) {
      KernelSymbol entry{};
      __builtin_memcpy(&entry, placed.bytes.data() + at, sizeof(entry));
      const std::uint64_t base = placed.address + at;
      if (text_at(relative(base + offsetof(KernelSymbol, name), entry.name)) == wanted)
        return relative(base, entry.value);
    }
  }
  return std::nullopt;
}

std::optional<KernVa> Module::exported(std::string_view wanted) const {
  if (const auto entry = exported_entry(wanted)) return entry;
  constexpr std::string_view prefix = "__ksymtab_";
  for (std::uint32_t i = 1; i < symbols.size(); ++i) {
    const auto symbol = file.elf().symbol(i);
    if (!symbol || symbol->is_undefined() || !symbol->name.starts_with(prefix)) continue;
    if (image::tail(symbol->name, prefix.size()) == wanted) return symbol_address(wanted);
  }
  return std::nullopt;
}

}  // namespace pkvmemu::kmod
