// SPDX-License-Identifier: GPL-2.0-only
// A .ko that the user named: read, looked at, and refused early with advice when it cannot be run.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "image/ko.h"
#include "pkvm/generation.h"
#include "support/file.h"

namespace pkvmemu::tool {

/// How files of modules end, plain and compressed.
inline constexpr std::array<std::string_view, 4> module_suffixes = {".ko", ".ko.gz", ".ko.xz",
                                                                    ".ko.zst"};

struct ModuleFile {
  std::string path;  ///< as given
  std::string name;  ///< modinfo's, else the file's; '-' is '_'
  std::vector<std::string> depends;
  pkvm::Generation generation = pkvm::Generation::android15_6_6;  ///< by its vermagic
  std::string fp_code;  ///< the first FP instruction of its EL2 half; empty when there is none
  Bytes bytes;
};

/// Its bytes; of a compressed one (.ko.gz, .ko.xz, .ko.zst) those inside.
Outcome<Bytes> read_module(const std::string& path);

Outcome<ModuleFile> open_module(const std::string& path);

/// The file's content as a module. More is refused than a kernel would: sections that share bytes,
/// since no linker writes such a file. Points into `bytes`.
Outcome<image::KoFile> open_ko(const std::string& path, const Bytes& bytes);

/// "dir/my-driver.ko" -> "my_driver"; ".ko.xz" and its like go, too.
std::string module_name_of(std::string_view path);

}  // namespace pkvmemu::tool
