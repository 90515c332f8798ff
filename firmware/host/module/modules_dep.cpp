// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/modules_dep.h"

#include <array>

#include "host/module/module.h"
#include "image/text.h"

namespace pkvmemu::kmod {
namespace {

using image::head;
using image::tail;

constexpr std::string_view modules_directory = "lib/modules/";
constexpr std::string_view dep_file = "modules.dep";
constexpr std::size_t path_limit = 256;

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text = tail(text, 1);
  while (!text.empty() && is_blank(text.back()))
    text = head(text, text.size() - 1);
  return text;
}

std::string_view as_text(image::ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

LoadError damaged(const image::Error& image) {
  LoadError error;
  error.problem = Problem::damaged_archive;
  error.step = Step::find_file;
  error.status = negated(Errno::einval);
  error.image = image;
  return error;
}

}  // namespace

std::string_view module_name_of_path(std::string_view path) {
  constexpr std::string_view suffix = ".ko";
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos) path = tail(path, slash + 1);
  if (path.ends_with(suffix)) path = head(path, path.size() - suffix.size());
  return path;
}

std::string_view take_last_word(std::string_view& words) {
  words = trimmed(words);
  std::size_t start = words.size();
  while (start > 0 && !is_blank(words[start - 1]))
    --start;
  const std::string_view word = tail(words, start);
  words = head(words, start);
  return word;
}

Loaded<image::CpioEntry> find_module_file(image::ByteView initramfs, std::string_view path) {
  const auto found = image::find_file(initramfs, path);
  if (!found) return std::unexpected(damaged(found.error()));
  const std::optional<image::CpioEntry>& entry = *found;
  if (entry) return *entry;
  LoadError error;
  error.problem = Problem::no_such_file;
  error.step = Step::find_file;
  error.status = negated(Errno::enoent);
  return std::unexpected(error);
}

Loaded<ModulesDep> ModulesDep::open(image::ByteView initramfs, std::string_view release) {
  return open(initramfs, std::array{release, std::string_view{}});
}

Loaded<ModulesDep> ModulesDep::open(image::ByteView initramfs,
                                    std::span<const std::string_view> subdirectories) {
  for (const std::string_view subdirectory : subdirectories) {
    image::Line<path_limit> path;
    path.put(modules_directory);
    path.put(subdirectory);
    if (!subdirectory.empty()) path.put('/');
    path.put(dep_file);
    const auto found = image::find_file(initramfs, path.written());
    if (!found) return std::unexpected(damaged(found.error()));
    const std::optional<image::CpioEntry>& entry = *found;
    if (!entry) continue;
    ModulesDep result;
    result.initramfs_ = initramfs;
    result.directory_ = head(entry->path, entry->path.size() - dep_file.size());
    result.text_ = as_text(entry->data);
    return result;
  }
  return ModulesDep{};
}

std::optional<ModulesDep::Line> ModulesDep::find(std::string_view name) const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = head(rest, end);
    rest = end == std::string_view::npos ? std::string_view{} : tail(rest, end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view path = trimmed(head(line, colon));
    if (!same_module_name(module_name_of_path(path), name)) continue;
    return Line{.path = path, .dependencies = trimmed(tail(line, colon + 1))};
  }
  return std::nullopt;
}

std::optional<std::string_view> ModulesDep::leads_back(const Line& line) const {
  const std::string_view own = module_name_of_path(line.path);
  const auto lists_own = [own](std::string_view dependencies) {
    while (!dependencies.empty())
      if (same_module_name(module_name_of_path(take_last_word(dependencies)), own)) return true;
    return false;
  };
  if (lists_own(line.dependencies)) return own;
  std::string_view dependencies = line.dependencies;
  while (!dependencies.empty()) {
    const std::string_view other = module_name_of_path(take_last_word(dependencies));
    const auto needed = find(other);
    if (needed && lists_own(needed->dependencies)) return other;
  }
  return std::nullopt;
}

Loaded<image::CpioEntry> ModulesDep::file(std::string_view path) const {
  if (path.starts_with('/')) return find_module_file(initramfs_, path);
  image::Line<path_limit> whole;
  whole.put(directory_);
  whole.put(path);
  return find_module_file(initramfs_, whole.written());
}

}  // namespace pkvmemu::kmod
