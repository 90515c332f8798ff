// SPDX-License-Identifier: GPL-2.0-only
// An ELF64 AArch64 relocatable object as lists of sections, symbols and RELA entries: what the
// module builder asks of the objects that clang and lld just wrote. src/image reads the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/file.h"
#include "support/result.h"

namespace pkvmemu::image {
struct Section;
}

namespace pkvmemu::build {

struct Section {
  std::string_view name;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t size = 0;
  std::uint64_t alignment = 0;
  std::uint32_t info = 0;
  std::span<const std::byte> data;  ///< empty for NOBITS
};

struct Symbol {
  std::string_view name;
  std::uint64_t value = 0;
  std::uint16_t section = 0;  ///< SHN_UNDEF, SHN_ABS or an index into sections()
  std::uint8_t binding = 0;
  std::uint8_t type = 0;

  [[nodiscard]] bool is_undefined() const { return section == 0 && !name.empty(); }
};

struct Relocation {
  std::uint32_t section = 0;  ///< the section that is patched: sh_info, never the table's name
  std::uint64_t offset = 0;
  std::uint32_t type = 0;
  std::uint32_t symbol = 0;
  std::int64_t addend = 0;
};

class ObjectFile {
 public:
  /// `name` is what errors call the file.
  static Result<ObjectFile> parse(std::string name, Bytes image);

  ObjectFile(ObjectFile&&) = default;
  ObjectFile& operator=(ObjectFile&&) = default;
  ObjectFile(const ObjectFile&) = delete;
  ObjectFile& operator=(const ObjectFile&) = delete;
  ~ObjectFile() = default;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::span<const Section> sections() const { return sections_; }
  [[nodiscard]] std::span<const Symbol> symbols() const { return symbols_; }
  /// All RELA tables' entries, in the order of the tables in the file.
  [[nodiscard]] std::span<const Relocation> relocations() const { return relocations_; }

  /// nullptr when there is none of this name.
  [[nodiscard]] const Section* find_section(std::string_view name) const;
  [[nodiscard]] const Symbol* find_defined_symbol(std::string_view name) const;

 private:
  ObjectFile(std::string name, Bytes image) : name_(std::move(name)), image_(std::move(image)) {}
  Result<void> read_relocations(const image::Section& table);

  std::string name_;
  Bytes image_;
  std::vector<Section> sections_;
  std::vector<Symbol> symbols_;
  std::vector<Relocation> relocations_;
};

}  // namespace pkvmemu::build
