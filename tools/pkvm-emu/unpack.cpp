// SPDX-License-Identifier: GPL-2.0-only
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "image/cpio.h"

namespace pkvmemu::tool {
namespace {

/// An initramfs has to fit into the guest's RAM beside all else; more is a decompression bomb.
constexpr std::size_t max_unpacked = std::size_t{512} << 20;

/// What a module's file may be at most: the kernel gives modules no more memory.
constexpr std::size_t max_module = std::size_t{128} << 20;

bool starts_with(std::span<const std::byte> data, std::string_view magic) {
  return data.size() >= magic.size() && std::memcmp(data.data(), magic.data(), magic.size()) == 0;
}

bool is_newc(std::span<const std::byte> data) {
  return starts_with(data, image::cpio_magic) || starts_with(data, image::cpio_magic_crc);
}

struct Close {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Close>;

/// Only these filters and the "raw" format: the rest of libarchive would drag in XML and crypto.
Reader make_reader() {
  Reader reader(archive_read_new());
  if (!reader) return nullptr;
  constexpr std::array filters = {
      archive_read_support_filter_gzip, archive_read_support_filter_xz,
      archive_read_support_filter_lzma, archive_read_support_filter_zstd,
      archive_read_support_filter_lz4,  archive_read_support_filter_bzip2,
      archive_read_support_format_raw};
  for (const auto support : filters)
    if (support(reader.get()) != ARCHIVE_OK) return nullptr;
  return reader;
}

/// What is looked for inside, and the most that it may be: a few bytes may unpack to gigabytes.
struct Wanted {
  std::size_t most;
  bool (*is_it)(std::span<const std::byte> start);
  std::string_view what;
};

constexpr Wanted newc_archive = {
    .most = max_unpacked,
    .is_it = is_newc,
    .what =
        "a newc cpio archive (magic 070701), plain or compressed with gzip, xz, lzma, zstd, lz4 or "
        "bzip2"};

bool is_elf(std::span<const std::byte> data) {
  constexpr std::string_view magic =
      "\x7f"
      "ELF";
  return starts_with(data, magic);
}

constexpr Wanted module_file = {
    .most = max_module,
    .is_it = is_elf,
    .what = "a kernel module, plain or compressed with gzip, xz or zstd"};

bool is_compressed_module(std::span<const std::byte> data) {
  using namespace std::string_view_literals;
  constexpr std::array magics = {"\x1f\x8b"sv,
                                 "\xfd"
                                 "7zXZ\0"sv,
                                 "\x28\xb5\x2f\xfd"sv};
  return std::ranges::any_of(magics,
                             [&](std::string_view magic) { return starts_with(data, magic); });
}

Result<Bytes> unpack(const Bytes& packed, const std::string& path, const Wanted& wanted) {
  const Reader reader = make_reader();
  if (!reader) return fail("{}: libarchive lacks a decompressor", path);
  const auto failure = [&] {
    const char* reason = archive_error_string(reader.get());
    return fail("{}: cannot unpack: {}", path, reason == nullptr ? "unknown error" : reason);
  };
  archive_entry* entry = nullptr;
  if (archive_read_open_memory(reader.get(), packed.data(), packed.size()) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
    return failure();

  Bytes data;
  constexpr std::size_t chunk = std::size_t{1} << 20;
  for (;;) {
    const std::size_t old_size = data.size();
    data.resize(old_size + chunk);
    const auto got = archive_read_data(reader.get(), data.data() + old_size, chunk);
    if (got < 0) return failure();
    data.resize(old_size + static_cast<std::size_t>(got));
    // Said before all of it is unpacked.
    if (old_size == 0 && !wanted.is_it(data)) return fail("{}: not {}", path, wanted.what);
    if (got == 0) break;
    if (data.size() > wanted.most)
      return fail("{}: unpacks to more than {} MiB", path, wanted.most >> 20);
  }
  return data;
}

}  // namespace

Result<Bytes> unpack_initramfs(Bytes packed, const std::string& path) {
  if (packed.empty()) return fail("{}: is empty, expected an initramfs", path);
  if (is_newc(packed)) return packed;
  return unpack(packed, path, newc_archive);
}

Result<Bytes> unpack_module(Bytes packed, const std::string& path) {
  if (!is_compressed_module(packed)) return packed;
  return unpack(packed, path, module_file);
}

}  // namespace pkvmemu::tool
