// SPDX-License-Identifier: GPL-2.0-only
#include "machine/image_header.h"

#include <cstring>

#include "support/bits.h"

namespace pkvmemu::machine {
namespace {

struct RawHeader {
  std::uint32_t code[2];
  std::uint64_t text_offset;
  std::uint64_t image_size;
  std::uint64_t flags;
  std::uint64_t reserved[3];
  std::uint32_t magic;
  std::uint32_t pe_offset;
};
static_assert(sizeof(RawHeader) == 64);

constexpr std::uint32_t image_magic = 0x644d'5241;  // "ARM\x64"
constexpr std::uint32_t elf_magic = 0x464c'457f;
constexpr std::uint16_t gzip_magic = 0x8b1f;
constexpr std::uint64_t flag_big_endian = bit(0);

constexpr std::uint32_t page_size_flag(std::uint64_t flags) {
  return static_cast<std::uint32_t>(bits(flags, 2, 1));
}

}  // namespace

Result<ImageHeader> parse_image_header(std::span<const std::byte> image) {
  if (image.size() < sizeof(RawHeader))
    return fail("not an arm64 Image: {} bytes, shorter than the 64-byte header", image.size());
  RawHeader raw;
  std::memcpy(&raw, image.data(), sizeof(raw));
  if (raw.code[0] == elf_magic)
    return fail("an ELF file, not an arm64 Image: convert it with objcopy -O binary");
  if ((raw.code[0] & 0xffff) == gzip_magic)
    return fail("a gzip file, not an arm64 Image: unpack it first (Image.gz)");
  if (raw.magic != image_magic)
    return fail("not an arm64 Image: offset 56 holds {:#010x} instead of the magic {:#010x}",
                raw.magic, image_magic);
  if ((raw.flags & flag_big_endian) != 0)
    return fail("a big-endian arm64 Image; this machine is little-endian");
  if (page_size_flag(raw.flags) > 1)
    return fail("an arm64 Image for {} KiB pages; this machine offers 4 KiB pages",
                page_size_flag(raw.flags) == 2 ? 16 : 64);
  if (raw.image_size != 0 && raw.image_size < image.size())
    return fail("damaged arm64 Image: the file is {} bytes, its header says {} in memory",
                image.size(), raw.image_size);
  return ImageHeader{.text_offset = raw.text_offset, .image_size = raw.image_size};
}

}  // namespace pkvmemu::machine
