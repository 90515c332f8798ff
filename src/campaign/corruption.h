// SPDX-License-Identifier: GPL-2.0-only
// Damage to a module's file: a few bytes of each section and every field of its headers, one at a
// time. The list is the same for the same file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pkvmemu::campaign {

/// One byte of a file, changed.
struct DamagedByte {
  std::uint64_t offset = 0;  ///< in the file
  std::uint8_t mask = 0;     ///< what is changed of the byte
  std::string where;         ///< for people: "sh_size of .hyp.text", ".hyp.text+0x10"

  bool operator==(const DamagedByte&) const = default;
};

/// Nothing for what is no ELF file of 64 bits.
std::vector<DamagedByte> damages_of(std::span<const std::byte> file);

/// "corrupt:hello.ko@0x1234^0x80", as a case is named.
std::string id_of(std::string_view file, const DamagedByte& damage);

/// The file that a case's name names, and what is done to it.
struct CorruptFile {
  std::string file;
  DamagedByte damage;
};
std::optional<CorruptFile> parse_corruption(std::string_view id);

}  // namespace pkvmemu::campaign
