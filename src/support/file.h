// SPDX-License-Identifier: GPL-2.0-only
// Whole files in and out, with errors that name the file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace pkvmemu {

using Bytes = std::vector<std::byte>;

/// No initramfs, firmware image or module comes near it; the board has this much RAM.
inline constexpr std::size_t largest_file = std::size_t{1} << 30U;

/// At most `largest_file` bytes.
Result<Bytes> read_file(const std::filesystem::path& path);
Result<void> write_file(const std::filesystem::path& path, std::span<const std::byte> data);
Result<void> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace pkvmemu
