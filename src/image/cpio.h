// SPDX-License-Identifier: GPL-2.0-only
// Reader of "newc" cpio archives, the form of an initramfs: 110-byte headers of hexadecimal
// fields, names and data padded to 4 bytes, a TRAILER!!! entry at the end. As in a kernel, several
// archives may follow each other with zero bytes between them, and of two entries with the same
// path the later one counts. Freestanding; nothing is copied.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "image/error.h"
#include "image/stream.h"

namespace pkvmemu::image {

/// Characters "07070" "1" (or "2", with checksums, which are not verified).
inline constexpr std::string_view cpio_magic = "070701";
inline constexpr std::string_view cpio_magic_crc = "070702";
inline constexpr std::string_view cpio_trailer = "TRAILER!!!";

struct CpioEntry {
  std::string_view path;  ///< without leading "/" or "./"
  ByteView data;
  std::uint32_t mode = 0;    ///< type and permission bits as in struct stat
  std::uint64_t offset = 0;  ///< of its header in the archive

  [[nodiscard]] constexpr bool is_file() const { return (mode & 0170000) == 0100000; }
  [[nodiscard]] constexpr bool is_directory() const { return (mode & 0170000) == 0040000; }
  [[nodiscard]] constexpr bool is_symlink() const { return (mode & 0170000) == 0120000; }
};

/// "a/b" for "/a/b", "./a/b" and ".//a/b".
std::string_view relative_path(std::string_view path);

/// Walks the entries in order.
class CpioReader {
 public:
  explicit CpioReader(ByteView archive) : bytes_(archive) {}

  /// The next entry, or nothing at the end. After an error the walk is over.
  Expected<std::optional<CpioEntry>> next();

 private:
  Expected<CpioEntry> read_entry(std::uint64_t offset);
  /// Past the trailer: true when another archive starts.
  bool find_next_archive();

  Stream bytes_;
  std::uint64_t position_ = 0;
  bool inside_ = false;  ///< an archive was opened and its trailer not seen
  bool failed_ = false;
};

/// The regular file at `path`; nothing when there is none.
Expected<std::optional<CpioEntry>> find_file(ByteView archive, std::string_view path);

}  // namespace pkvmemu::image
