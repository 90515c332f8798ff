// SPDX-License-Identifier: GPL-2.0-only
#include "image/cpio.h"

#include "support/bits.h"

namespace pkvmemu::image {
namespace {

constexpr std::uint64_t header_size = 110;
constexpr std::uint64_t field_width = 8;
constexpr std::uint64_t alignment = 4;

/// Eight-digit fields after the six characters of magic, in this order.
enum class Field : std::uint8_t {
  inode,
  mode,
  user,
  group,
  links,
  time,
  file_size,
  major,
  minor,
  device_major,
  device_minor,
  name_size,
  checksum,
};

constexpr std::optional<std::uint32_t> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

Expected<std::uint32_t> read_field(const Stream& bytes, std::uint64_t header, Field field) {
  const std::uint64_t offset =
      header + cpio_magic.size() + static_cast<std::uint64_t>(field) * field_width;
  const auto text = bytes.text(offset, field_width);
  if (!text) return std::unexpected(text.error());
  std::uint32_t value = 0;
  for (const char c : *text) {
    const auto next = digit(c);
    if (!next) return std::unexpected(Error{.code = Code::bad_digit, .offset = offset});
    value = value << 4 | *next;
  }
  return value;
}

bool is_magic(std::string_view text) {
  return text == cpio_magic || text == cpio_magic_crc;
}

}  // namespace

std::string_view relative_path(std::string_view path) {
  for (;;) {
    if (path.starts_with('/')) {
      path.remove_prefix(1);
    } else if (path.starts_with("./")) {
      path.remove_prefix(2);
    } else {
      return path;
    }
  }
}

bool CpioReader::find_next_archive() {
  position_ = align_up(position_, alignment);
  while (bytes_.contains(position_, alignment)) {
    const auto word = bytes_.le<std::uint32_t>(position_);
    if (word && *word != 0) {
      const auto magic = bytes_.text(position_, cpio_magic.size());
      return magic && is_magic(*magic);
    }
    position_ += alignment;
  }
  return false;
}

Expected<CpioEntry> CpioReader::read_entry(std::uint64_t offset) {
  if (const auto header = bytes_.range(offset, header_size); !header)
    return std::unexpected(header.error());
  const auto magic = bytes_.text(offset, cpio_magic.size());
  if (!magic) return std::unexpected(magic.error());
  if (!is_magic(*magic)) return std::unexpected(Error{.code = Code::bad_magic, .offset = offset});

  const auto mode = read_field(bytes_, offset, Field::mode);
  if (!mode) return std::unexpected(mode.error());
  const auto file_size = read_field(bytes_, offset, Field::file_size);
  if (!file_size) return std::unexpected(file_size.error());
  const auto name_size = read_field(bytes_, offset, Field::name_size);
  if (!name_size) return std::unexpected(name_size.error());

  const auto name_bytes = bytes_.range(offset + header_size, *name_size);
  if (!name_bytes) return std::unexpected(name_bytes.error());
  const auto name = Stream(*name_bytes).string(0);
  if (!name)
    return std::unexpected(Error{.code = Code::bad_string, .offset = offset + header_size});

  const std::uint64_t data = align_up(offset + header_size + *name_size, alignment);
  const auto content = bytes_.range(data, *file_size);
  if (!content) return std::unexpected(content.error());
  position_ = align_up(data + *file_size, alignment);
  return CpioEntry{.path = *name, .data = *content, .mode = *mode, .offset = offset};
}

Expected<std::optional<CpioEntry>> CpioReader::next() {
  if (failed_) return std::nullopt;
  for (;;) {
    if (!inside_) {
      if (position_ != 0 && !find_next_archive()) return std::nullopt;
      if (bytes_.size() == 0) return std::nullopt;
      inside_ = true;
    }
    if (position_ >= bytes_.size()) {
      failed_ = true;
      return std::unexpected(Error{.code = Code::no_trailer, .offset = position_});
    }
    auto entry = read_entry(position_);
    if (!entry) {
      failed_ = true;
      return std::unexpected(entry.error());
    }
    if (entry->path == cpio_trailer) {
      inside_ = false;
      continue;
    }
    entry->path = relative_path(entry->path);
    return *entry;
  }
}

Expected<std::optional<CpioEntry>> find_file(ByteView archive, std::string_view path) {
  const std::string_view wanted = relative_path(path);
  std::optional<CpioEntry> found;
  CpioReader reader(archive);
  for (;;) {
    const auto next = reader.next();
    if (!next) return std::unexpected(next.error());
    const std::optional<CpioEntry>& entry = *next;
    if (!entry) return found;
    if (entry->is_file() && entry->path == wanted) found = entry;
  }
}

}  // namespace pkvmemu::image
