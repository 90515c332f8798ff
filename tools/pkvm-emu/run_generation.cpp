// SPDX-License-Identifier: GPL-2.0-only
#include "run_generation.h"

#include <algorithm>

#include "image/cpio.h"
#include "image/ko.h"
#include "module_file.h"
#include "pkvm/platform.h"

namespace pkvmemu::tool {

namespace {

/// The value of the last pkvmemu.generation= that names a generation: the kernel ignores others.
std::optional<pkvm::Generation> given_generation(std::string_view cmdline) {
  const std::string key = std::string(pkvm::platform::param_generation) + "=";
  std::optional<pkvm::Generation> result;
  while (!cmdline.empty()) {
    const std::string_view word = cmdline.substr(0, cmdline.find(' '));
    if (word.starts_with(key))
      if (const auto id = pkvm::generation_of_kmi(word.substr(key.size()))) result = id;
    cmdline.remove_prefix(std::min(word.size() + 1, cmdline.size()));
  }
  return result;
}

}  // namespace

RunGeneration::RunGeneration(std::string_view cmdline) : given_(given_generation(cmdline)) {}

Outcome<void> RunGeneration::add_module(const std::string& path, pkvm::Generation generation) {
  if (!found_) {
    found_ = generation;
    first_path_ = path;
  }
  if (*found_ == generation || given_) return {};
  return file_error("{}: built for {}, but {} for {}: one run has one kernel", path,
                    pkvm::info(generation).kmi, first_path_, pkvm::info(*found_).kmi);
}

Outcome<void> RunGeneration::add_archive(const std::string& archive_path, const Bytes& archive,
                                         std::span<const std::string> names) {
  image::CpioReader reader(archive);
  while (const auto entry = reader.next()) {
    if (!*entry) break;
    const std::string_view path = (*entry)->path;
    if (!(*entry)->is_file() || !path.ends_with(".ko")) continue;
    if (std::ranges::find(names, module_name_of(path)) == names.end()) continue;
    const auto ko = image::KoFile::open((*entry)->data);
    if (!ko || !ko->generation()) continue;
    auto added = add_module(archive_path + ": " + std::string(path), *ko->generation());
    if (!added) return added;
  }
  return {};
}

}  // namespace pkvmemu::tool
