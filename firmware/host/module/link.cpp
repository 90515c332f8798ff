// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/link.h"

#include <algorithm>
#include <new>

#include "host/module/hyp_imports.h"
#include "host/module/report.h"
#include "image/text.h"
#include "lib/fault.h"
#include "pkvm/el2_import.h"
#include "support/bits.h"

namespace pkvmemu::kmod {
namespace {

using image::ElfFile;
using image::Section;
using image::Symbol;

LoadError problem(Problem what, Step step, Errno number) {
  LoadError error;
  error.problem = what;
  error.step = step;
  error.status = negated(number);
  return error;
}

std::unexpected<LoadError> no_memory(std::uint64_t size) {
  LoadError error = problem(Problem::no_memory, Step::relocate, Errno::enomem);
  error.expected = size;
  return std::unexpected(error);
}

std::uint64_t load_word(std::span<const std::byte> bytes) {
  std::uint64_t word = 0;
  __builtin_memcpy(&word, bytes.data(), bytes.size());
  return word;
}

void store_word(std::span<std::byte> bytes, std::uint64_t word) {
  __builtin_memcpy(bytes.data(), &word, bytes.size());
}

LoadError unknown(const Symbol& symbol) {
  LoadError error = problem(Problem::unknown_symbol, Step::resolve_symbols, Errno::enoent);
  error.name = symbol.name;
  return error;
}

/// An array of `count` default-made T in zeroed scratch memory.
template <typename T>
std::span<T> make_array(std::span<std::byte> memory, std::size_t count) {
  T* first = reinterpret_cast<T*>(memory.data());
  for (std::size_t i = 0; i < count; ++i)
    ::new (first + i) T{};
  return {first, count};
}

}  // namespace

std::optional<std::array<std::uint32_t, 3>> encode_veneer(std::uint64_t place,
                                                          std::uint64_t target) {
  constexpr std::uint32_t adrp_x16 = 0x9000'0010;
  constexpr std::uint32_t add_x16_x16 = 0x9100'0210;
  constexpr std::uint32_t br_x16 = 0xd61f'0200;
  constexpr std::uint32_t page_high = 275;  // R_AARCH64_ADR_PREL_PG_HI21
  constexpr std::uint32_t page_low = 277;   // R_AARCH64_ADD_ABS_LO12_NC
  constexpr const image::RelocRow* high = image::find_reloc(page_high);
  constexpr const image::RelocRow* low = image::find_reloc(page_low);
  const std::int64_t pages = image::reloc_value(*high, target, place);
  if (!image::reloc_fits(*high, pages)) return std::nullopt;
  return std::array{static_cast<std::uint32_t>(image::reloc_encode(*high, adrp_x16, pages)),
                    static_cast<std::uint32_t>(
                        image::reloc_encode(*low, add_x16_x16, static_cast<std::int64_t>(target))),
                    br_x16};
}

Loaded<void> Linker::link() {
  if (auto done = take_tables(); !done) return done;
  if (auto done = take_memory(); !done) return done;
  if (auto done = place_sections(); !done) return done;
  if (auto done = place_per_cpu(); !done) return done;
  if (auto done = resolve_symbols(); !done) return done;
  return relocate_all();
}

Loaded<std::span<std::byte>> Linker::take_scratch(std::uint64_t size) {
  const auto memory = services_.allocate(MemoryKind::scratch, size);
  if (!memory) return no_memory(size);
  module_.memory[static_cast<std::size_t>(MemoryKind::scratch)] = *memory;
  module_.blocks[static_cast<std::size_t>(MemoryKind::scratch)] = *memory;
  return memory->bytes;
}

Loaded<void> Linker::take_tables() {
  const ElfFile& elf = module_.file.elf();
  const std::uint64_t section_bytes = elf.section_count() * sizeof(PlacedSection);
  const std::uint64_t symbol_bytes = elf.symbol_count() * sizeof(std::uint64_t);
  const auto scratch = take_scratch(section_bytes + symbol_bytes);
  if (!scratch) return std::unexpected(scratch.error());
  module_.sections = make_array<PlacedSection>(*scratch, elf.section_count());
  module_.symbols = make_array<std::uint64_t>(scratch->subspan(section_bytes), elf.symbol_count());
  return {};
}

Loaded<void> Linker::take_memory() {
  const auto plan =
      plan_layout(module_.file.elf(), [](const Section&, MemoryKind, std::uint64_t) {});
  if (!plan) return std::unexpected(plan.error());
  plan_ = *plan;
  for (const MemoryBlock block : memory_blocks(generation_))
    if (auto done = take_block(block); !done) return done;
  return {};
}

Loaded<void> Linker::take_block(MemoryBlock block) {
  const auto size_of = [this](MemoryKind kind) {
    return align_up(plan_.size[static_cast<std::size_t>(kind)], page_size);
  };
  std::uint64_t size = 0;
  for (const MemoryKind kind : block)
    size += size_of(kind);
  if (size == 0) return {};
  const auto memory = services_.allocate(block.front(), size);
  if (!memory) return no_memory(size);
  module_.blocks[static_cast<std::size_t>(block.front())] = *memory;
  std::uint64_t offset = 0;
  for (const MemoryKind kind : block) {
    if (size_of(kind) == 0) continue;
    module_.memory[static_cast<std::size_t>(kind)] = Memory{
        .address = memory->address + offset, .bytes = memory->bytes.subspan(offset, size_of(kind))};
    offset += size_of(kind);
  }
  return {};
}

Loaded<void> Linker::place_sections() {
  const auto area = [this](MemoryKind kind) -> const std::optional<Memory>& {
    return module_.memory[static_cast<std::size_t>(kind)];
  };
  const auto place = [&](const Section& section, MemoryKind kind, std::uint64_t offset) {
    PlacedSection& own = module_.sections[section.index];
    const auto& memory = area(kind);
    if (!memory) return;  // only empty sections are of this kind
    own.address = memory->address.value + offset;
    own.bytes = memory->bytes.subspan(offset, section.header.size);
    if (!section.content.empty())
      __builtin_memcpy(own.bytes.data(), section.content.data(), section.content.size());
  };
  // The same walk as take_memory's.
  const auto placed = plan_layout(module_.file.elf(), place);
  if (!placed) return std::unexpected(placed.error());

  const auto adopt = [&](Module::Plt& plt, const LayoutPlan::Plt& plan, MemoryKind kind) {
    const auto& memory = area(kind);
    if (!memory || plan.entries == 0) return;
    plt.address = memory->address.value + plan.offset;
    plt.bytes = memory->bytes.subspan(plan.offset, plan.entries * LayoutPlan::plt_entry_size);
  };
  adopt(module_.plt, plan_.plt, MemoryKind::text);
  adopt(module_.init_plt, plan_.init_plt, MemoryKind::init_text);
  report_places(services_, module_);
  return {};
}

/// One CPU: the section's bytes go straight to where it keeps them.
Loaded<void> Linker::place_per_cpu() {
  const auto section = module_.file.elf().find_section(per_cpu_section);
  if (!section || !section->allocated() || section->header.size == 0) return {};
  const std::uint64_t alignment =
      std::clamp<std::uint64_t>(section->header.alignment, 1, page_size);
  const auto memory = services_.allocate_per_cpu(section->header.size, alignment);
  if (!memory) return no_memory(section->header.size);
  module_.per_cpu = *memory;
  module_.sections[section->index] = {.address = memory->address.value, .bytes = memory->bytes};
  if (!section->content.empty())
    __builtin_memcpy(memory->bytes.data(), section->content.data(), section->content.size());
  return {};
}

std::optional<KernVa> Linker::find_import(std::string_view name) const {
  if (const auto own = services_.resolve(name)) return own;
  for (const Module& other : earlier_) {
    if (other.state != ModuleState::live) continue;
    if (const auto exported = other.exported(name)) return exported;
  }
  return services_.declared_stub(name);
}

Loaded<std::uint64_t> Linker::resolve(const Symbol& symbol) {
  const std::uint16_t section = symbol.entry.section;
  if (section == image::elf::index_common) {
    LoadError error = problem(Problem::common_symbol, Step::resolve_symbols, Errno::enoexec);
    error.name = symbol.name;
    return std::unexpected(error);
  }
  if (symbol.in_section()) return module_.sections[section].address + symbol.entry.value;
  if (!symbol.is_undefined()) return symbol.entry.value;  // absolute
  if (PKVM_FAULT_NOTHING("load.symbol", "an import of a module is looked up"))
    return std::unexpected(unknown(symbol));
  const bool of_el2 = symbol.name.starts_with(image::hyp_symbol_prefix);
  const bool found_is_enough =
      !of_el2 || pkvm::has_el2_imports(generation_) || !hyp_refers_to(module_, symbol.index);
  if (const auto found = find_import(symbol.name); found && found_is_enough) {
    module_.hyp.imports |= of_el2;
    return found->value;
  }
  if (symbol.binding() == image::elf::bind_weak) return std::uint64_t{0};
  // A stub is EL1 code: EL2 code that called one would leave the hypervisor's address space.
  if (module_.el2_only && !of_el2) return std::uint64_t{0};  // is_left_out()
  const auto stub = of_el2 ? std::nullopt : services_.stub_for(symbol.name);
  report_unresolved(symbol.name, stub ? Unresolved::stubbed : Unresolved::refused);
  if (stub) return stub->value;
  return std::unexpected(unknown(symbol));
}

void Linker::report_unresolved(std::string_view symbol, Unresolved what) {
  const bool stubbed = what == Unresolved::stubbed;
  image::Line<160> line;
  line.put(module_.name());
  line.put(": Unknown symbol ");
  line.put(symbol);
  line.put(stubbed ? ": bound to a stub that answers 0" : " (err -2)");
  services_.message(line.written());
  services_.event(Event(pkvm::event::Kind::module_unresolved)
                      .name(module_.name())
                      .text(symbol)
                      .value(0, stubbed ? 1 : 0)
                      .record());
}

/// Names every unresolved import before it gives up.
Loaded<void> Linker::resolve_symbols() {
  std::optional<LoadError> missing;
  for (std::uint32_t i = 1; i < module_.symbols.size(); ++i) {
    const auto symbol = module_.file.elf().symbol(i);
    if (!symbol) continue;  // open() has read them all
    const auto value = resolve(*symbol);
    if (value) {
      module_.symbols[i] = *value;
    } else if (value.error().problem != Problem::unknown_symbol) {
      return std::unexpected(value.error());
    } else if (!missing) {
      missing = value.error();
    } else {
      missing->problem = Problem::unknown_symbols;
      ++missing->expected;
    }
  }
  if (missing) return std::unexpected(*missing);
  return {};
}

bool Linker::is_per_cpu(const Section& section) const {
  return module_.per_cpu &&
         module_.sections[section.index].address == module_.per_cpu->address.value;
}

Loaded<void> Linker::relocate_all() {
  const ElfFile& elf = module_.file.elf();
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    const auto table = elf.section(i);
    if (!table) continue;
    const bool rela = table->header.type == image::elf::section_rela;
    if (!rela && table->header.type != image::elf::section_rel) continue;
    const auto target = elf.section(table->header.info);
    if (!target || (!kind_of(*target) && !is_per_cpu(*target))) continue;
    if (!rela) {
      LoadError error = problem(Problem::rel_section, Step::relocate, Errno::enoexec);
      error.other = target->name;
      return std::unexpected(error);
    }
    if (auto done = relocate_section(*table, *target); !done) return done;
  }
  return {};
}

Loaded<void> Linker::relocate_section(const Section& table, const Section& target) {
  for (std::uint32_t i = 0; i < ElfFile::rela_count(table); ++i) {
    const auto rela = ElfFile::rela(table, i);
    if (!rela) continue;
    const image::RelocRow* row = image::find_reloc(rela->type());
    if (row == nullptr) {
      LoadError error = problem(Problem::unsupported_relocation, Step::relocate, Errno::enoexec);
      error.other = target.name;
      error.offset = rela->offset;
      error.found = rela->type();
      return std::unexpected(error);
    }
    const Site site{.section = target, .rela = *rela, .row = *row};
    if (const fw::Fault fault = PKVM_FAULT_ERRNO("load.relocation", Errno::enoexec,
                                                 "a relocation of a module is made")) {
      LoadError error = at(site, Problem::not_relocated);
      error.status = fault.answer;
      return std::unexpected(error);
    }
    if (auto done = apply(site); !done) return done;
  }
  return {};
}

LoadError Linker::at(const Site& site, Problem what) const {
  LoadError error = problem(what, Step::relocate, Errno::enoexec);
  error.relocation = site.row.name;
  error.other = site.section.name;
  error.offset = site.rela.offset;
  const auto symbol = module_.file.elf().symbol(site.rela.symbol());
  if (!symbol) return error;
  error.name = symbol->name;
  // A section symbol has no name of its own.
  if (!error.name.empty() || !symbol->in_section()) return error;
  const auto section = module_.file.elf().section(symbol->entry.section);
  if (section) error.name = section->name;
  return error;
}

std::optional<std::uint64_t> Linker::veneer(const Site& site, std::uint64_t target) {
  const bool init = kind_of(site.section) == MemoryKind::init_text;
  Module::Plt& plt = init ? module_.init_plt : module_.plt;
  constexpr std::size_t size = LayoutPlan::plt_entry_size;
  for (std::size_t at = 0; at < plt.bytes.size(); at += size) {
    const std::uint64_t place = plt.address + at;
    const auto wanted = encode_veneer(place, target);
    if (!wanted) return std::nullopt;
    const auto entry = plt.bytes.subspan(at, size);
    if (at < plt.used) {
      if (__builtin_memcmp(entry.data(), wanted->data(), size) == 0) return place;
      continue;
    }
    __builtin_memcpy(entry.data(), wanted->data(), size);
    plt.used = at + size;
    return place;
  }
  return std::nullopt;
}

/// Against an import that nobody exports, which only code that never runs may have.
bool Linker::is_left_out(const Site& site) const {
  if (!module_.el2_only || module_.symbols[site.rela.symbol()] != 0) return false;
  const auto symbol = module_.file.elf().symbol(site.rela.symbol());
  return symbol && symbol->index != 0 && symbol->is_undefined() &&
         symbol->binding() != image::elf::bind_weak;
}

Loaded<void> Linker::apply(const Site& site) {
  const PlacedSection& placed = module_.sections[site.section.index];
  const unsigned size = image::reloc_size(site.row);
  const std::uint64_t offset = site.rela.offset;
  if (offset > placed.bytes.size() || size > placed.bytes.size() - offset)
    return std::unexpected(at(site, Problem::outside_section));
  if (site.rela.symbol() >= module_.symbols.size()) {
    LoadError error = at(site, Problem::no_such_symbol);
    error.found = site.rela.symbol();
    error.expected = module_.symbols.size();
    return std::unexpected(error);
  }
  if (size == 0) return {};
  if (is_left_out(site)) {
    if (!site.section.name.starts_with(".hyp.")) return {};
    const auto symbol = module_.file.elf().symbol(site.rela.symbol());
    return std::unexpected(unknown(*symbol));
  }

  const std::uint64_t place = placed.address + offset;
  const std::uint64_t target =
      module_.symbols[site.rela.symbol()] + static_cast<std::uint64_t>(site.rela.addend);
  std::int64_t value = image::reloc_value(site.row, target, place);
  if (!image::reloc_fits(site.row, value)) {
    const bool branch =
        site.row.type == image::reloc_call26 || site.row.type == image::reloc_jump26;
    const auto through = branch ? veneer(site, target) : std::nullopt;
    if (through) value = image::reloc_value(site.row, *through, place);
    if (!through || !image::reloc_fits(site.row, value)) {
      LoadError error = at(site, Problem::overflow);
      error.found = static_cast<std::uint64_t>(value);
      error.expected = site.row.width + site.row.shift;
      return std::unexpected(error);
    }
  }
  const auto bytes = placed.bytes.subspan(offset, size);
  store_word(bytes, image::reloc_encode(site.row, load_word(bytes), value));
  return {};
}

}  // namespace pkvmemu::kmod
