// SPDX-License-Identifier: GPL-2.0-only
// Writer of "newc" cpio archives (host side). The same calls give the same bytes: times and owners
// are zero, inodes count up. Parent directories are made on the way.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "image/error.h"
#include "support/file.h"
#include "support/result.h"

namespace pkvmemu::image {

class CpioWriter {
 public:
  /// `path` without leading "/". Data must be below 4 GiB, as the format's fields are.
  Result<void> add_file(std::string_view path, ByteView data);
  Result<void> add_file(std::string_view path, std::string_view text);
  Result<void> add_directory(std::string_view path);

  /// The archive with its trailer, padded to 512 bytes as cpio does. The writer is spent.
  pkvmemu::Bytes finish() &&;

 private:
  Result<void> add_parents(std::string_view path);
  void add_entry(std::string_view path, std::uint32_t mode, ByteView data);

  pkvmemu::Bytes archive_;
  std::set<std::string, std::less<>> directories_;
  std::uint32_t next_inode_ = 1;
};

}  // namespace pkvmemu::image
