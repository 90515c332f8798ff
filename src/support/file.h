// SPDX-License-Identifier: GPL-2.0-only
// Whole files in and out, with errors that name the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace pkvmemu {

using Bytes = std::vector<std::byte>;

/// No initramfs, firmware image or module comes near it; the board has twice this much RAM.
inline constexpr std::size_t largest_file = std::size_t{512} << 20U;

/// At most `largest_file` bytes, of a file or a pipe.
Result<Bytes> read_file(const std::filesystem::path& path);
/// Whether read_file would begin to read, with a limit of its own.
Result<void> check_readable(const std::filesystem::path& path, std::uintmax_t limit = largest_file);

/// All or nothing: a file that is there stays as it was until all of the new one is written.
Result<void> write_file(const std::filesystem::path& path, std::span<const std::byte> data);
/// Whether write_file would find its place, for a look before long work.
Result<void> check_writable(const std::filesystem::path& path);
Result<void> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace pkvmemu
