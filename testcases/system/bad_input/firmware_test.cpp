// SPDX-License-Identifier: GPL-2.0-only
// Files given to --firmware that are no arm64 Image.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support.h"

namespace pkvmemu::test {
namespace {

namespace fs = std::filesystem;

Bytes image() {
  return content_of(PKVMEMU_BUILD_DIR "/firmware/pkvm-firmware.Image");
}

/// The Image with a 64-bit field of its header replaced.
Bytes with_field(std::size_t offset, std::uint64_t value) {
  Bytes bytes = image();
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
  return bytes;
}

// Whatever it is, one sentence names the file, and nothing is started: 3.
TEST(BadFirmware, IsRefused) {
  const ScratchDirectory scratch;
  const auto file = [&scratch](const std::string& name, const Bytes& content) {
    put(scratch.path() / name, content);
    return (scratch.path() / name).string();
  };
  Bytes header_only = image();
  header_only.resize(40);
  const std::string huge = scratch.path() / "huge";
  put_sparse(huge, tebibyte);
  const std::string closed = file("closed", image());
  fs::permissions(closed, fs::perms::none);
  constexpr std::size_t text_offset = 8;
  constexpr std::size_t image_size = 16;
  const std::vector<std::pair<std::string, std::string>> rows = {
      {file("empty", {}), ""},
      {file("text", bytes_of(std::string(5000, 'x'))), "Image"},
      {file("cut", header_only), ""},
      {file("module", content_of(module("hello"))), "Image"},
      {file("far", with_field(text_offset, ~std::uint64_t{0})), ""},
      {file("large", with_field(image_size, std::uint64_t{1} << 60U)), ""},
      {scratch.path(), "is a directory"},
      {scratch.path() / "nosuch", "No such file"},
      {closed, "Permission denied"},
      {huge, "larger than"},
      {"/dev/zero", "is a device"},
  };
  for (const auto& [path, says] : rows) {
    SCOPED_TRACE(path);
    expect_refusal(pkvm_emu_without_powers({"run", module("hello"), "--firmware", path}),
                   {.exit_code = 3, .parts = {path + ": ", says}});
  }
}

}  // namespace
}  // namespace pkvmemu::test
