// SPDX-License-Identifier: GPL-2.0-only
// Bad twins of good modules: a .ko of the build, read into memory and changed field by field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "image/ko.h"
#include "inspect/inspect.h"
#include "support/file.h"

namespace pkvmemu::inspect {

class KoEditor {
 public:
  /// A module of the build: "hello".
  static KoEditor of(std::string_view name);
  /// One of this test's own: "opsflow" for "android15-6.6".
  static KoEditor own(std::string_view name, std::string_view kmi);

  /// The same bytes, other than `from` where it stands first; equal lengths.
  KoEditor& replace_text(std::string_view from, std::string_view to);
  KoEditor& rename_section(std::string_view name, std::string_view to);
  /// A field of a section's header.
  template <typename T>
  KoEditor& section_field(std::string_view name, T image::SectionHeader::* field, T value);
  /// A field of the symbol of this name.
  template <typename T>
  KoEditor& symbol_field(std::string_view name, T image::SymbolEntry::* field, T value);
  /// The type of the first relocation of type `from` that patches a section.
  KoEditor& relocation_type(std::string_view section, std::uint32_t from, std::uint32_t to);
  /// The 32-bit word right before a symbol.
  KoEditor& word_before(std::string_view symbol, std::uint32_t word);
  /// Moves the first relocation of a section to another offset.
  KoEditor& relocation_offset(std::string_view section, std::uint64_t offset);
  /// A byte of a section's content.
  KoEditor& section_byte(std::string_view section, std::uint64_t offset, std::uint8_t value);
  /// Appends bytes to the file.
  KoEditor& append(std::string_view text);

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }
  [[nodiscard]] Facts inspect(std::vector<Dependency> dependencies = {}) const;

 private:
  explicit KoEditor(Bytes bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] image::KoFile file() const;
  [[nodiscard]] std::uint64_t header_offset(std::string_view section) const;
  [[nodiscard]] std::uint64_t symbol_offset(std::string_view name) const;
  void put(std::uint64_t offset, const void* value, std::size_t size);

  Bytes bytes_;
};

/// The finding whose text contains `part`; its text is empty when there is none.
Finding finding_with(const Facts& facts, std::string_view part);

/// Byte offset of a field of an ELF structure.
template <typename Struct, typename T>
std::uint64_t offset_of(T Struct::* field) {
  static const Struct sample{};
  return static_cast<std::uint64_t>(reinterpret_cast<const char*>(&(sample.*field)) -
                                    reinterpret_cast<const char*>(&sample));
}

template <typename T>
KoEditor& KoEditor::section_field(std::string_view name, T image::SectionHeader::* field, T value) {
  put(header_offset(name) + offset_of(field), &value, sizeof(value));
  return *this;
}

template <typename T>
KoEditor& KoEditor::symbol_field(std::string_view name, T image::SymbolEntry::* field, T value) {
  put(symbol_offset(name) + offset_of(field), &value, sizeof(value));
  return *this;
}

}  // namespace pkvmemu::inspect
