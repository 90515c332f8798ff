// SPDX-License-Identifier: GPL-2.0-only
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

#include "image/cpio_writer.h"

namespace pkvmemu::tool {
namespace {

Bytes sample_archive() {
  image::CpioWriter writer;
  const std::string text(100'000, 'x');
  EXPECT_TRUE(writer.add_file("init", text));
  return std::move(writer).finish();
}

/// `data` through one of libarchive's compressors.
Bytes compressed(const Bytes& data, int filter) {
  archive* writer = archive_write_new();
  EXPECT_EQ(archive_write_add_filter(writer, filter), ARCHIVE_OK);
  EXPECT_EQ(archive_write_set_format_raw(writer), ARCHIVE_OK);
  Bytes buffer(data.size() + 4096);
  std::size_t used = 0;
  EXPECT_EQ(archive_write_open_memory(writer, buffer.data(), buffer.size(), &used), ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  EXPECT_EQ(archive_write_header(writer, entry), ARCHIVE_OK);
  EXPECT_EQ(archive_write_data(writer, data.data(), data.size()),
            static_cast<la_ssize_t>(data.size()));
  archive_entry_free(entry);
  EXPECT_EQ(archive_write_close(writer), ARCHIVE_OK);
  archive_write_free(writer);
  buffer.resize(used);
  return buffer;
}

// Each compression that kernels know comes out as the archive that went in.
TEST(UnpackInitramfs, EveryCompression) {
  const Bytes plain = sample_archive();
  constexpr std::array filters = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ,
                                  ARCHIVE_FILTER_LZMA, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_LZ4,
                                  ARCHIVE_FILTER_BZIP2};
  for (const int filter : filters) {
    const auto unpacked = unpack_initramfs(compressed(plain, filter), "file");
    ASSERT_TRUE(unpacked) << "filter " << filter << ": " << unpacked.error().message;
    // A raw write pads the last block with zeros, as an initramfs may be.
    ASSERT_GE(unpacked->size(), plain.size()) << filter;
    EXPECT_EQ(std::memcmp(unpacked->data(), plain.data(), plain.size()), 0) << filter;
  }
}

// A truncated file is an error that names it, never half an archive.
TEST(UnpackInitramfs, ATruncatedFileIsRefused) {
  Bytes packed = compressed(sample_archive(), ARCHIVE_FILTER_XZ);
  packed.resize(packed.size() / 2);
  const auto unpacked = unpack_initramfs(packed, "rd.xz");
  ASSERT_FALSE(unpacked);
  EXPECT_NE(unpacked.error().message.find("rd.xz: "), std::string::npos);
}

Bytes sample_module() {
  Bytes module(100'000, std::byte{7});
  constexpr std::string_view magic =
      "\x7f"
      "ELF";
  std::memcpy(module.data(), magic.data(), magic.size());
  return module;
}

// A module as kernels compress them comes out as it was, and a plain one stays as it is.
TEST(UnpackModule, EveryCompressionOfKernels) {
  const Bytes plain = sample_module();
  EXPECT_EQ(unpack_module(plain, "m.ko"), plain);
  for (const int filter : {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD}) {
    const Bytes packed = compressed(plain, filter);
    ASSERT_LT(packed.size(), plain.size());
    const auto unpacked = unpack_module(packed, "m.ko.xz");
    ASSERT_TRUE(unpacked) << "filter " << filter << ": " << unpacked.error().message;
    ASSERT_GE(unpacked->size(), plain.size()) << filter;
    EXPECT_EQ(std::memcmp(unpacked->data(), plain.data(), plain.size()), 0) << filter;
  }
}

// Bad twins: cut short, or not a module inside; what is no compressed file is the reader's to
// judge.
TEST(UnpackModule, OthersAreRefused) {
  Bytes packed = compressed(sample_module(), ARCHIVE_FILTER_XZ);
  packed.resize(packed.size() / 2);
  EXPECT_NE(unpack_module(packed, "m.ko.xz").error().message.find("m.ko.xz: cannot unpack: "),
            std::string::npos);
  const Bytes text(100'000, std::byte{'x'});
  EXPECT_NE(unpack_module(compressed(text, ARCHIVE_FILTER_GZIP), "m.ko.gz")
                .error()
                .message.find("m.ko.gz: not a kernel module"),
            std::string::npos);
  EXPECT_EQ(unpack_module(text, "m.ko"), text);
}

}  // namespace
}  // namespace pkvmemu::tool
