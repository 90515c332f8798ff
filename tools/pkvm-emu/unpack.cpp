// SPDX-License-Identifier: GPL-2.0-only
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>

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

bool is_newc(std::span<const std::byte> data) {
  const auto has = [&](std::string_view magic) {
    return data.size() >= magic.size() && std::memcmp(data.data(), magic.data(), magic.size()) == 0;
  };
  return has(image::cpio_magic) || has(image::cpio_magic_crc);
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

std::unexpected<Error> not_an_archive(const std::string& path) {
  return fail(
      "{}: not a newc cpio archive (magic 070701), plain or compressed with gzip, xz, lzma, zstd, "
      "lz4 or bzip2",
      path);
}

}  // namespace

Result<Bytes> unpack_initramfs(Bytes packed, const std::string& path) {
  if (packed.empty()) return fail("{}: is empty, expected an initramfs", path);
  if (is_newc(packed)) return packed;
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
    // Said before all of it is unpacked: a few bytes may unpack to gigabytes.
    if (old_size == 0 && !is_newc(data)) return not_an_archive(path);
    if (got == 0) break;
    if (data.size() > max_unpacked)
      return fail("{}: unpacks to more than {} MiB", path, max_unpacked >> 20);
  }
  return data;
}

}  // namespace pkvmemu::tool
