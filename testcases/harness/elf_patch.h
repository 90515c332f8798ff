// SPDX-License-Identifier: GPL-2.0-only
// Bad twins of good modules: a .ko whose header, section headers, symbols and relocations are
// changed field by field. Places are those of the good file, however it was changed meanwhile.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "image/elf.h"
#include "support/file.h"

namespace pkvmemu::test {

class ElfPatch {
 public:
  /// Throws when the file is not a good module to begin with.
  explicit ElfPatch(Bytes good);

  /// A field of the file header, of a section's header, of a symbol, or of the n-th relocation that
  /// patches a section.
  template <typename T>
  ElfPatch& header(T image::ElfHeader::* field, T value) {
    return put(0, field, value);
  }
  template <typename T>
  ElfPatch& section(std::string_view name, T image::SectionHeader::* field, T value) {
    return put(section_place(index_of(name)), field, value);
  }
  template <typename T>
  ElfPatch& symbol(std::string_view name, T image::SymbolEntry::* field, T value) {
    return put(symbol_place(name), field, value);
  }
  template <typename T>
  ElfPatch& relocation(std::string_view section, std::size_t n, T image::RelaEntry::* field,
                       T value) {
    return put(relocation_place(section, n), field, value);
  }
  /// A byte of e_ident.
  ElfPatch& identity(std::size_t index, std::uint8_t value);
  ElfPatch& resize(std::size_t size);

  /// Of the good file.
  [[nodiscard]] const image::SectionHeader& section_of(std::string_view name) const {
    return headers_.at(index_of(name));
  }
  [[nodiscard]] std::size_t index_of(std::string_view name) const;
  /// The n of the first relocation of this type that patches a section.
  [[nodiscard]] std::size_t relocation_of_type(std::string_view section, std::uint32_t type) const;
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  template <typename Struct, typename T>
  ElfPatch& put(std::size_t place, T Struct::* field, T value) {
    Struct record;
    std::memcpy(&record, bytes_.data() + place, sizeof(record));
    record.*field = value;
    std::memcpy(bytes_.data() + place, &record, sizeof(record));
    return *this;
  }
  [[nodiscard]] std::size_t section_place(std::size_t index) const;
  [[nodiscard]] std::size_t symbol_place(std::string_view name) const;
  [[nodiscard]] std::size_t relocation_place(std::string_view section, std::size_t n) const;
  [[nodiscard]] const image::SectionHeader& relocations_of(std::string_view section) const;

  Bytes bytes_;
  image::ElfHeader header_{};
  std::vector<image::SectionHeader> headers_;
  std::vector<std::string> names_;
};

}  // namespace pkvmemu::test
