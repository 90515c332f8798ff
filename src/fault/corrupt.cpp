// SPDX-License-Identifier: GPL-2.0-only
#include "fault/corrupt.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "image/ko.h"

namespace pkvmemu::fault {
namespace {

Result<std::span<std::byte>> section_of(std::span<std::byte> file, const std::string& name) {
  const auto ko = image::KoFile::open(file);
  const auto section = ko ? ko->elf().find_section(name) : std::nullopt;
  if (!section || section->is_nobits()) return fail("it has no section '{}' with content", name);
  return file.subspan(section->header.offset, section->header.size);
}

std::string hexadecimal(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes)
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", std::to_integer<unsigned>(byte));
  return text;
}

}  // namespace

Result<std::string> corrupt(std::span<std::byte> file, const Corruption& corruption) {
  std::span<std::byte> area = file;
  if (corruption.section) {
    const auto section = section_of(file, *corruption.section);
    if (!section) return std::unexpected(section.error());
    area = *section;
  }
  const std::string name = corruption.section.value_or("the file");
  if (corruption.offset > area.size() || corruption.bytes.size() > area.size() - corruption.offset)
    return fail("{} is {:#x} bytes, so there are not {} at {:#x}", name, area.size(),
                corruption.bytes.size(), corruption.offset);
  area = area.subspan(corruption.offset, corruption.bytes.size());
  const std::string before = hexadecimal(area);
  for (std::size_t i = 0; i < area.size(); ++i)
    area[i] = corruption.kind == Corruption::Kind::overwrite ? corruption.bytes[i]
                                                             : area[i] ^ corruption.bytes[i];
  return fmt::format("{} at {:#x}: {} became {}", name, corruption.offset, before,
                     hexadecimal(area));
}

}  // namespace pkvmemu::fault
