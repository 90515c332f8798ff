// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/hyp_imports.h"

#include <array>
#include <optional>

#include "host/module/report.h"
#include "image/relocate.h"
#include "image/text.h"
#include "lib/fault.h"
#include "pkvm/el2_import.h"
#include "support/bits.h"

namespace pkvmemu::kmod {
namespace {

using image::ElfFile;
using image::Section;

constexpr std::string_view hyp_prefix = ".hyp.";
constexpr std::string_view hyp_text = ".hyp.text";
constexpr std::size_t instruction_size = 4;
constexpr std::size_t word_size = 8;

/// One use of a symbol that the module does not define.
struct Import {
  std::string_view name;
  std::uint32_t type;
  std::uint64_t offset;  ///< in .hyp.text
  KernVa place;
};

/// The loaded section that a table relocates; nothing for other sections.
std::optional<Section> relocated_by(const ElfFile& elf, std::uint32_t index) {
  const auto table = elf.section(index);
  if (!table || table->header.type != image::elf::section_rela) return std::nullopt;
  const auto target = elf.section(table->header.info);
  if (!target || !target->name.starts_with(hyp_prefix)) return std::nullopt;
  return *target;
}

/// Calls `use` for each relocation of .hyp.text against an undefined symbol, until one fails.
template <typename Use>
Loaded<void> for_each_import(const Module& module, Use use) {
  const ElfFile& elf = module.file.elf();
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    const auto target = relocated_by(elf, i);
    if (!target || target->name != hyp_text) continue;
    const auto table = elf.section(i);
    for (std::uint32_t n = 0; n < ElfFile::rela_count(*table); ++n) {
      const auto rela = ElfFile::rela(*table, n);
      const auto symbol = rela ? elf.symbol(rela->symbol()) : std::unexpected(image::Error{});
      if (!symbol || symbol->index == 0 || !symbol->is_undefined()) continue;
      const std::uint64_t base = module.sections[target->index].address;
      const Import import{.name = symbol->name,
                          .type = rela->type(),
                          .offset = rela->offset,
                          .place = KernVa{base + rela->offset}};
      if (auto done = use(import); !done) return done;
    }
  }
  return {};
}

LoadError problem(Problem what, const Import& import) {
  LoadError error;
  error.problem = what;
  error.step = Step::resolve_symbols;
  error.status = negated(Errno::einval);
  error.name = image::without_hyp_prefix(import.name);
  error.other = hyp_text;
  error.offset = import.offset;
  return error;
}

struct Exporter {
  bool knows_name = false;  ///< some loaded EL2 half has such a symbol
  std::optional<HypVa> address;
};

/// The very first byte of a text is not accepted: the comparison with its start is strict.
Exporter find_exporter(std::span<const Module> loaded, std::string_view name) {
  Exporter found;
  if (PKVM_FAULT_NOTHING("load.hyp_import", "an import of an EL2 half is looked up")) return found;
  for (const Module& module : loaded) {
    if (module.state == ModuleState::free || !module.hyp.loaded) continue;
    const auto address = module.symbol_address(name);
    const HypRange& text = module.hyp.parts[static_cast<std::size_t>(HypPart::text)];
    if (!address) continue;
    found.knows_name = true;
    if (*address <= text.start || *address >= text.end) continue;
    found.address = module.hyp.hyp_address(*address);
    break;
  }
  return found;
}

/// Writes one instruction: words are what the kernel's text patching takes.
void patch(KernelServices& services, const Module& module, KernVa place, std::int64_t distance) {
  constexpr const image::RelocRow* call = image::find_reloc(image::reloc_call26);
  const KernVa word_at{align_down(place.value, word_size)};
  const auto bytes = module.bytes_at(word_at, word_size);
  if (bytes.empty()) return;
  std::array<std::uint32_t, word_size / instruction_size> code{};
  __builtin_memcpy(code.data(), bytes.data(), sizeof(code));
  std::uint32_t& own = code[(place - word_at) / instruction_size];
  own = static_cast<std::uint32_t>(image::reloc_encode(*call, own, distance));
  std::uint64_t word = 0;
  __builtin_memcpy(&word, code.data(), sizeof(word));
  services.store_word(word_at, word);
}

}  // namespace

bool hyp_refers_to(const Module& module, std::uint32_t symbol) {
  const ElfFile& elf = module.file.elf();
  for (std::uint32_t i = 1; i < elf.section_count(); ++i) {
    if (!relocated_by(elf, i)) continue;
    const auto table = elf.section(i);
    for (std::uint32_t n = 0; n < ElfFile::rela_count(*table); ++n) {
      const auto rela = ElfFile::rela(*table, n);
      if (rela && rela->symbol() == symbol) return true;
    }
  }
  return false;
}

bool HypImports::reproduces_defect() const {
  return defects_ == pkvm::Defects::reproduced &&
         pkvm::has_quirk(generation_, pkvm::Quirk::failed_import_is_ignored);
}

/// 6.12.23 tells, and goes on with a call that leads to a wrong address.
Loaded<void> HypImports::refuse(const Module& importer, const LoadError& error) const {
  if (!reproduces_defect()) return std::unexpected(error);
  services_.message(ModuleMessage(importer.name(), error).text());
  return {};
}

void HypImports::tell_defect() const {
  services_.event(Event(pkvm::event::Kind::quirk)
                      .name(pkvm::quirk_row(pkvm::Quirk::failed_import_is_ignored).name)
                      .value(0, reproduces_defect() ? 1 : 0)
                      .record());
}

Loaded<void> HypImports::check(const Module& importer) const {
  if (!importer.hyp.imports || !pkvm::has_el2_imports(generation_)) return {};
  unsigned refused = 0;
  return for_each_import(importer, [&](const Import& import) -> Loaded<void> {
    if (import.type == image::reloc_call26) return {};
    if (refused++ == 0) tell_defect();
    LoadError error = problem(Problem::import_not_a_call, import);
    error.found = import.type;
    return refuse(importer, error);
  });
}

Loaded<void> HypImports::bind(const Module& importer, KernVa place, HypVa target,
                              const LoadError& too_far) const {
  constexpr const image::RelocRow* call = image::find_reloc(image::reloc_call26);
  const HypVa from = importer.hyp.hyp_address(place);
  const std::int64_t distance = image::reloc_value(*call, target.value, from.value);
  // Released kernels only count backwards.
  const bool forwards = from < target;
  if (!image::reloc_fits(*call, distance) || (reproduces_defect() && forwards)) {
    LoadError error = too_far;
    error.found = static_cast<std::uint64_t>(distance);
    tell_defect();
    return refuse(importer, error);
  }
  patch(services_, importer, place, distance);
  return {};
}

Loaded<void> HypImports::resolve(const Module& importer) const {
  if (!importer.hyp.imports || !pkvm::has_el2_imports(generation_)) return {};
  const auto bound = for_each_import(importer, [&](const Import& import) -> Loaded<void> {
    if (import.type != image::reloc_call26) return {};  // check() has told
    const Exporter exporter = find_exporter(loaded_, import.name);
    if (exporter.address)
      return bind(importer, import.place, *exporter.address,
                  problem(Problem::import_too_far, import));
    return std::unexpected(problem(
        exporter.knows_name ? Problem::import_not_in_text : Problem::import_not_exported, import));
  });
  const auto& text = importer.memory[static_cast<std::size_t>(MemoryKind::text)];
  if (bound && text) services_.sync_icache(*text);
  return bound;
}

}  // namespace pkvmemu::kmod
