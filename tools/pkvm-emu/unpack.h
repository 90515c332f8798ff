// SPDX-License-Identifier: GPL-2.0-only
// Compressed initramfs files become plain newc cpio on the host, and compressed modules plain ones,
// so that the guest sees no other.
#pragma once

#include <string>

#include "support/file.h"
#include "support/result.h"

namespace pkvmemu::tool {

/// `packed` as it is when it is a newc archive; otherwise what gzip, xz, lzma, zstd, lz4 or bzip2
/// make of it, which must be one. `path` names it in errors.
Result<Bytes> unpack_initramfs(Bytes packed, const std::string& path);

/// `packed` as it is, unless it is compressed as kernels compress modules, with gzip, xz or zstd.
Result<Bytes> unpack_module(Bytes packed, const std::string& path);

}  // namespace pkvmemu::tool
