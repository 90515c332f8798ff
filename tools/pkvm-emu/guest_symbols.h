// SPDX-License-Identifier: GPL-2.0-only
// The names of all guest code of a run: its modules, as they lie in the initramfs, and its
// firmware.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "support/file.h"
#include "symbols/symbol_table.h"

namespace pkvmemu::tool {

/// `firmware` is the file of a firmware that is not the built-in one; its names are in `host.map`
/// and `hyp.map` beside it, where there are such. What cannot be read has no names.
symbols::SymbolTable guest_symbols(std::span<const std::byte> initramfs,
                                   const std::optional<std::string>& firmware);

/// "dir/my-driver.ko" in an archive or what the file says of itself: as the kernel compares names.
std::optional<std::string> module_in(std::string_view path, std::span<const std::byte> file);

}  // namespace pkvmemu::tool
