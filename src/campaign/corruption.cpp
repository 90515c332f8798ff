// SPDX-License-Identifier: GPL-2.0-only
#include "campaign/corruption.h"

#include <fmt/format.h>

#include <array>

#include "image/elf.h"
#include "support/number.h"

namespace pkvmemu::campaign {
namespace {

/// A field of an ELF structure of 64 bits (gABI, figures 4-3 and 4-8).
struct Field {
  std::string_view name;
  std::uint64_t offset;
  std::uint64_t size;
};
constexpr std::array file_fields{
    Field{"e_ident", 0, 16},     Field{"e_type", 16, 2},     Field{"e_machine", 18, 2},
    Field{"e_version", 20, 4},   Field{"e_entry", 24, 8},    Field{"e_phoff", 32, 8},
    Field{"e_shoff", 40, 8},     Field{"e_flags", 48, 4},    Field{"e_ehsize", 52, 2},
    Field{"e_phentsize", 54, 2}, Field{"e_phnum", 56, 2},    Field{"e_shentsize", 58, 2},
    Field{"e_shnum", 60, 2},     Field{"e_shstrndx", 62, 2},
};
constexpr std::array section_fields{
    Field{"sh_name", 0, 4},     Field{"sh_type", 4, 4},    Field{"sh_flags", 8, 8},
    Field{"sh_addr", 16, 8},    Field{"sh_offset", 24, 8}, Field{"sh_size", 32, 8},
    Field{"sh_link", 40, 4},    Field{"sh_info", 44, 4},   Field{"sh_addralign", 48, 8},
    Field{"sh_entsize", 56, 8},
};
constexpr std::uint64_t section_header_size = 64;

constexpr std::uint8_t lowest_bit = 0x01;
constexpr std::uint8_t highest_bit = 0x80;

/// The least change of a number, and one of the greatest.
void add_field(std::vector<DamagedByte>& all, std::uint64_t base, const Field& field,
               const std::string& owner) {
  const std::string where = fmt::format("{}{}", field.name, owner);
  all.push_back({.offset = base + field.offset, .mask = lowest_bit, .where = where});
  all.push_back(
      {.offset = base + field.offset + field.size - 1, .mask = highest_bit, .where = where});
}

/// Its first byte, one in its middle, and its last.
void add_content(std::vector<DamagedByte>& all, const image::Section& section) {
  const std::uint64_t size = section.content.size();
  if (size == 0) return;
  std::uint64_t last = size;
  for (const std::uint64_t at : {std::uint64_t{0}, size / 2, size - 1}) {
    if (at == last) continue;
    last = at;
    for (const std::uint8_t mask : {lowest_bit, highest_bit})
      all.push_back({.offset = section.header.offset + at,
                     .mask = mask,
                     .where = fmt::format("{}+{:#x}", section.name, at)});
  }
}

std::optional<std::uint64_t> hex_number(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  return hexadecimal_in(text.substr(2));
}

constexpr std::string_view prefix = "corrupt:";

}  // namespace

std::vector<DamagedByte> damages_of(std::span<const std::byte> file) {
  const auto elf = image::ElfFile::open(file);
  if (!elf) return {};
  std::vector<DamagedByte> all;
  for (const Field& field : file_fields)
    add_field(all, 0, field, "");
  for (std::uint32_t i = 1; i < elf->section_count(); ++i) {
    const auto section = elf->section(i);
    if (!section) continue;
    const std::uint64_t header = elf->header().section_headers + (i * section_header_size);
    for (const Field& field : section_fields)
      add_field(all, header, field, fmt::format(" of {}", section->name));
    add_content(all, *section);
  }
  return all;
}

std::string id_of(std::string_view file, const DamagedByte& damage) {
  return fmt::format("{}{}@{:#x}^{:#04x}", prefix, file, damage.offset, damage.mask);
}

std::optional<CorruptFile> parse_corruption(std::string_view id) {
  if (!id.starts_with(prefix)) return std::nullopt;
  id.remove_prefix(prefix.size());
  const auto at = id.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view place = id.substr(at + 1);
  const auto hat = place.find('^');
  if (hat == std::string_view::npos) return std::nullopt;
  const auto offset = hex_number(place.substr(0, hat));
  const auto mask = hex_number(place.substr(hat + 1));
  constexpr std::uint64_t largest_byte = 0xff;
  if (!offset || !mask || *mask > largest_byte || at == 0) return std::nullopt;
  return CorruptFile{
      .file = std::string(id.substr(0, at)),
      .damage = {.offset = *offset, .mask = static_cast<std::uint8_t>(*mask), .where = {}}};
}

}  // namespace pkvmemu::campaign
