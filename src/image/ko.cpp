// SPDX-License-Identifier: GPL-2.0-only
#include "image/ko.h"

#include <array>

#include "image/text.h"
#include "support/address.h"

namespace pkvmemu::image {
namespace {

/// struct module's name: the same place on every generation (pkvm-abi.md 2.4), 56 characters.
constexpr std::uint64_t name_offset = 24;

}  // namespace

Expected<KoFile> KoFile::open(ByteView file) {
  KoFile result;
  const auto elf = ElfFile::open(file);
  if (!elf) return std::unexpected(elf.error());
  result.elf_ = *elf;

  const auto modinfo = elf->find_section(".modinfo");
  if (!modinfo) return std::unexpected(Error{.code = Code::no_vermagic});
  result.modinfo_ = Stream(modinfo->content);
  const auto vermagic = result.modinfo("vermagic");
  if (!vermagic) return std::unexpected(Error{.code = Code::no_vermagic, .index = modinfo->index});
  result.vermagic_ = *vermagic;

  const auto own = elf->find_section(this_module_section);
  if (!own) return std::unexpected(Error{.code = Code::no_section});
  if (own->content.size() <= name_offset)
    return std::unexpected(Error{.code = Code::bad_size,
                                 .index = own->index,
                                 .offset = own->header.offset,
                                 .expected = name_offset + 1,
                                 .found = own->content.size()});
  result.this_module_ = *own;
  const auto inner = Stream(own->content).string(name_offset);
  result.name_ = result.modinfo("name").value_or(inner.value_or(""));
  return result;
}

std::optional<std::string_view> KoFile::modinfo(std::string_view key) const {
  for (std::uint64_t offset = 0; offset < modinfo_.size();) {
    const auto item = modinfo_.string(offset);
    if (!item) return std::nullopt;
    if (item->size() > key.size() && item->starts_with(key) && (*item)[key.size()] == '=')
      return tail(*item, key.size() + 1);
    offset += item->size() + 1;
  }
  return std::nullopt;
}

bool KoFile::has_hyp() const {
  const auto text = elf_.find_section(".hyp.text");
  return text && text->header.size != 0;
}

std::uint64_t KoFile::hyp_page_size() const {
  constexpr std::array<std::string_view, 4> parts = {".hyp.text", ".hyp.bss", ".hyp.rodata",
                                                     ".hyp.data"};
  // Those that arm64 kernels can have, the largest first.
  constexpr std::array<std::uint64_t, 2> larger = {65536, 16384};
  std::uint64_t edges = 0;  // all alignments and sizes
  for (const std::string_view part : parts) {
    const auto section = elf_.find_section(part);
    if (section && section->header.size != 0)
      edges |= section->header.alignment | section->header.size;
  }
  for (const std::uint64_t size : larger)
    if (edges != 0 && edges % size == 0) return size;
  return page_size;
}

}  // namespace pkvmemu::image
