// SPDX-License-Identifier: GPL-2.0-only
#include "ko_editor.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace pkvmemu::inspect {
namespace {

Bytes read_module(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return std::move(*bytes);
}

[[noreturn]] void absent(std::string_view what) {
  throw std::runtime_error("the module has no " + std::string(what));
}

}  // namespace

KoEditor KoEditor::of(std::string_view name) {
  return KoEditor(read_module(PKVMEMU_BUILD_DIR "/modules/" + std::string(name) + ".ko"));
}

KoEditor KoEditor::own(std::string_view name, std::string_view kmi) {
  return KoEditor(read_module(PKVMEMU_INSPECT_MODULES "/" + std::string(kmi) + "/" +
                              std::string(name) + ".ko"));
}

image::KoFile KoEditor::file() const {
  const auto file = image::KoFile::open(bytes_);
  if (!file) throw std::runtime_error("the edited module is not readable");
  return *file;
}

void KoEditor::put(std::uint64_t offset, const void* value, std::size_t size) {
  if (offset > bytes_.size() || size > bytes_.size() - offset) absent("room for an edit");
  std::memcpy(bytes_.data() + offset, value, size);
}

std::uint64_t KoEditor::header_offset(std::string_view section) const {
  const auto found = file().elf().find_section(section);
  if (!found) absent(section);
  return file().elf().header().section_headers +
         std::uint64_t{found->index} * sizeof(image::SectionHeader);
}

std::uint64_t KoEditor::symbol_offset(std::string_view name) const {
  const image::ElfFile elf = file().elf();
  for (std::uint32_t i = 0; i < elf.section_count(); ++i) {
    const auto table = elf.section(i);
    if (!table || table->header.type != image::elf::section_symtab) continue;
    for (std::uint32_t n = 1; n < elf.symbol_count(); ++n)
      if (elf.symbol(n)->name == name)
        return table->header.offset + std::uint64_t{n} * sizeof(image::SymbolEntry);
  }
  absent(name);
}

KoEditor& KoEditor::replace_text(std::string_view from, std::string_view to) {
  if (from.size() != to.size()) throw std::runtime_error("texts of different lengths");
  const std::string_view all(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  const std::size_t at = all.find(from);
  if (at == std::string_view::npos) absent(from);
  put(at, to.data(), to.size());
  return *this;
}

KoEditor& KoEditor::rename_section(std::string_view name, std::string_view to) {
  const image::ElfFile elf = file().elf();
  const auto names = elf.section(elf.header().name_section);
  const auto section = elf.find_section(name);
  if (!section || to.size() > name.size()) absent(name);
  std::string padded(to);
  padded.resize(name.size(), '\0');
  put(names->header.offset + section->header.name, padded.data(), padded.size());
  return *this;
}

KoEditor& KoEditor::relocation_type(std::string_view section, std::uint32_t from,
                                    std::uint32_t to) {
  const image::ElfFile elf = file().elf();
  const auto target = elf.find_section(section);
  for (std::uint32_t i = 0; target && i < elf.section_count(); ++i) {
    const auto table = elf.section(i);
    if (table->header.type != image::elf::section_rela || table->header.info != target->index)
      continue;
    for (std::uint32_t n = 0; n < image::ElfFile::rela_count(*table); ++n) {
      if (image::ElfFile::rela(*table, n)->type() != from) continue;
      put(table->header.offset + std::uint64_t{n} * sizeof(image::RelaEntry) +
              offset_of(&image::RelaEntry::info),
          &to, sizeof(to));
      return *this;
    }
  }
  absent("relocation of that type");
}

KoEditor& KoEditor::relocation_offset(std::string_view section, std::uint64_t offset) {
  const image::ElfFile elf = file().elf();
  const auto target = elf.find_section(section);
  for (std::uint32_t i = 0; target && i < elf.section_count(); ++i) {
    const auto table = elf.section(i);
    if (table->header.type != image::elf::section_rela || table->header.info != target->index)
      continue;
    put(table->header.offset, &offset, sizeof(offset));
    return *this;
  }
  absent("relocation there");
}

KoEditor& KoEditor::word_before(std::string_view symbol, std::uint32_t word) {
  const auto own = file().elf().find_defined(symbol);
  if (!own) absent(symbol);
  const auto section = file().elf().section(own->entry.section);
  put(section->header.offset + own->entry.value - sizeof(word), &word, sizeof(word));
  return *this;
}

KoEditor& KoEditor::section_byte(std::string_view section, std::uint64_t offset,
                                 std::uint8_t value) {
  const auto own = file().elf().find_section(section);
  if (!own || offset >= own->content.size()) absent(section);
  put(own->header.offset + offset, &value, sizeof(value));
  return *this;
}

KoEditor& KoEditor::append(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  bytes_.insert(bytes_.end(), first, first + text.size());
  return *this;
}

Facts KoEditor::inspect(std::vector<Dependency> dependencies) const {
  static const code::Disassembler disassembler = code::Disassembler::create().value();
  return inspect::inspect(file(), bytes_, dependencies, disassembler);
}

Finding finding_with(const Facts& facts, std::string_view part) {
  for (const Finding& finding : facts.findings)
    if (finding.text.contains(part)) return finding;
  return {};
}

}  // namespace pkvmemu::inspect
