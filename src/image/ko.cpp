// SPDX-License-Identifier: GPL-2.0-only
#include "image/ko.h"

#include "image/text.h"

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

}  // namespace pkvmemu::image
