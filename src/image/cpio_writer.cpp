// SPDX-License-Identifier: GPL-2.0-only
#include "image/cpio_writer.h"

#include <limits>
#include <span>

#include "image/cpio.h"
#include "support/bits.h"

namespace pkvmemu::image {
namespace {

constexpr std::uint32_t file_mode = 0100644;
constexpr std::uint32_t directory_mode = 0040755;
constexpr std::size_t header_alignment = 4;
constexpr std::size_t archive_alignment = 512;

ByteView bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

void CpioWriter::add_entry(std::string_view path, std::uint32_t mode, ByteView data) {
  const bool trailer = path == cpio_trailer;
  const std::uint32_t links = (mode & 0170000) == 0040000 ? 2 : 1;
  const auto name_size = static_cast<std::uint32_t>(path.size() + 1);
  const auto file_size = static_cast<std::uint32_t>(data.size());
  const std::uint32_t inode = trailer ? 0 : next_inode_++;
  const std::string header = fmt::format(
      "{}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
      cpio_magic, inode, mode, 0, 0, links, 0, file_size, 0, 0, 0, 0, name_size, 0);

  const auto append = [this](ByteView bytes) {
    archive_.insert(archive_.end(), bytes.begin(), bytes.end());
  };
  append(bytes_of(header));
  append(bytes_of(path));
  archive_.push_back(std::byte{0});
  archive_.resize(align_up(archive_.size(), header_alignment));
  append(data);
  archive_.resize(align_up(archive_.size(), header_alignment));
}

Result<void> CpioWriter::add_parents(std::string_view path) {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    const std::string_view parent = path.substr(0, slash);
    if (directories_.emplace(parent).second) add_entry(parent, directory_mode, {});
  }
  return {};
}

Result<void> CpioWriter::add_file(std::string_view path, ByteView data) {
  const std::string_view name = relative_path(path);
  if (name.empty() || name.ends_with('/') || name.contains('\0'))
    return fail("'{}' is no path for a file in an archive", path);
  if (data.size() > std::numeric_limits<std::uint32_t>::max())
    return fail("{}: {} bytes are too many for a cpio archive", name, data.size());
  if (auto parents = add_parents(name); !parents) return parents;
  add_entry(name, file_mode, data);
  return {};
}

Result<void> CpioWriter::add_file(std::string_view path, std::string_view text) {
  return add_file(path, bytes_of(text));
}

Result<void> CpioWriter::add_directory(std::string_view path) {
  const std::string_view name = relative_path(path);
  if (name.empty() || name.contains('\0'))
    return fail("'{}' is no path for a directory in an archive", path);
  if (auto parents = add_parents(name); !parents) return parents;
  if (directories_.emplace(name).second) add_entry(name, directory_mode, {});
  return {};
}

pkvmemu::Bytes CpioWriter::finish() && {
  add_entry(cpio_trailer, 0, {});
  archive_.resize(align_up(archive_.size(), archive_alignment));
  return std::move(archive_);
}

}  // namespace pkvmemu::image
