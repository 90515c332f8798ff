// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a .ko, through the reader alone: what opens can be asked everything, and what does
// not open has words for why.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "image/ko.h"

namespace {

using namespace pkvmemu;

/// Walks what open() promised to be readable; a promise that does not hold is a crash.
void read_all(const image::ElfFile& elf) {
  for (std::uint32_t i = 0; i < elf.section_count(); ++i) {
    const auto section = elf.section(i);
    if (!section) std::abort();
    for (std::uint32_t j = 0; section->header.type == image::elf::section_rela &&
                              j < image::ElfFile::rela_count(*section);
         ++j)
      if (!image::ElfFile::rela(*section, j)) std::abort();
  }
  for (std::uint32_t i = 0; i < elf.symbol_count(); ++i)
    if (!elf.symbol(i)) std::abort();
  (void)elf.find_section(".hyp.text");
  (void)elf.find_defined("init_module");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto elf = image::ElfFile::open(bytes)) read_all(*elf);
  const auto file = image::KoFile::open(bytes);
  if (!file) {
    std::array<char, 256> buffer{};
    if (image::describe(file.error(), buffer).empty()) std::abort();
    return 0;
  }
  for (const char* key : {"", "name", "depends", "vermagic", "parm"})
    (void)file->modinfo(key);
  (void)file->generation();
  (void)file->has_hyp();
  return 0;
}
