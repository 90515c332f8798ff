// SPDX-License-Identifier: GPL-2.0-only
#include "host/module/modprobe_config.h"

#include <array>

#include "host/module/arguments.h"
#include "host/module/module.h"
#include "image/cpio.h"

namespace pkvmemu::kmod {
namespace {

using image::head;
using image::tail;

constexpr std::array<std::string_view, 2> android_files = {"modules.options", "modules.softdep"};
constexpr std::array<std::string_view, 2> kmod_directories = {"lib/modprobe.d/", "etc/modprobe.d/"};
constexpr std::string_view configuration_suffix = ".conf";
constexpr std::string_view kernel_blacklist = "module_blacklist";
constexpr std::size_t path_limit = 256;

std::string_view take_word(std::string_view& rest) {
  const auto argument = take_argument(rest);
  return argument ? argument->word : std::string_view{};
}

}  // namespace

void ModprobeConfig::walk_file(std::string_view path, LineVisitor visitor) const {
  const auto found = image::find_file(initramfs_, path);
  if (!found || !*found) return;
  const image::ByteView data = (*found)->data;
  std::string_view rest(reinterpret_cast<const char*>(data.data()), data.size());
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = head(rest, end);
    rest = end == std::string_view::npos ? std::string_view{} : tail(rest, end + 1);
    visitor.visit(visitor.context, line);
  }
}

/// The path of the configuration file that follows `after` in the order of names; empty at the end.
std::string_view ModprobeConfig::next_configuration(std::string_view directory,
                                                    std::string_view after) const {
  std::string_view best;
  image::CpioReader archive(initramfs_);
  while (true) {
    const auto entry = archive.next();
    if (!entry || !*entry) return best;
    const std::string_view path = (*entry)->path;
    if (!(*entry)->is_file() || !path.starts_with(directory)) continue;
    if (!path.ends_with(configuration_suffix)) continue;
    if (tail(path, directory.size()).find('/') != std::string_view::npos) continue;
    if (path > after && (best.empty() || path < best)) best = path;
  }
}

/// Whether the archive has a file that may be one of ours.
bool ModprobeConfig::find_any_file() const {
  image::CpioReader archive(initramfs_);
  while (true) {
    const auto entry = archive.next();
    if (!entry || !*entry) return false;
    const std::string_view path = (*entry)->path;
    if (path.ends_with(configuration_suffix)) return true;
    for (const std::string_view file : android_files)
      if (path.ends_with(file)) return true;
  }
}

void ModprobeConfig::walk_lines(LineVisitor visitor) const {
  if (!has_files_) return;
  for (const std::string_view subdirectory : {release_, std::string_view{}}) {
    for (const std::string_view file : android_files) {
      image::Line<path_limit> path;
      path.put("lib/modules/");
      path.put(subdirectory);
      if (!subdirectory.empty()) path.put('/');
      path.put(file);
      walk_file(path.written(), visitor);
    }
  }
  for (const std::string_view directory : kmod_directories)
    for (std::string_view path = next_configuration(directory, {}); !path.empty();
         path = next_configuration(directory, path))
      walk_file(path, visitor);
}

void ModprobeConfig::put_options(std::string_view module, image::TextWriter& out) const {
  const auto put = [&out](std::string_view text) {
    if (!out.written().empty()) out.put(' ');
    out.put(text);
  };
  for_each_line([&](std::string_view line) {
    if (take_word(line) != "options" || !same_module_name(take_word(line), module)) return;
    while (const auto argument = take_argument(line))
      put(argument->word);
  });
  std::string_view rest = command_line_;
  while (const auto argument = take_argument(rest)) {
    if (argument->word == "--") return;  // the rest belongs to init
    // The dot of "name.parameter", with the quote of "\"name.parameter=a b\"" left in place.
    const std::size_t dot = argument->name.find('.');
    if (dot == std::string_view::npos || !same_module_name(head(argument->name, dot), module))
      continue;
    const bool quoted = argument->word.starts_with('"');
    if (quoted) {
      put("\"");
      out.put(tail(argument->word, dot + 2));
    } else {
      put(tail(argument->word, dot + 1));
    }
  }
}

std::optional<std::string_view> ModprobeConfig::SoftDependencies::next() {
  if (!started) {
    started = true;
    if (take_word(line) != "softdep" || !same_module_name(take_word(line), module)) line = {};
  }
  while (true) {
    const std::string_view word = take_word(line);
    if (word.empty()) return std::nullopt;
    if (word == "pre:" || word == "post:")
      wanted = word == (when == When::before ? "pre:" : "post:");
    else if (wanted)
      return word;
  }
}

bool ModprobeConfig::is_blacklisted(std::string_view module) const {
  std::string_view rest = command_line_;
  while (const auto argument = take_argument(rest)) {
    if (!same_parameter_name(argument->name, kernel_blacklist)) continue;
    std::string_view list = argument->value.value_or("");
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      if (same_module_name(head(list, comma), module)) return true;
      list = comma == std::string_view::npos ? std::string_view{} : tail(list, comma + 1);
    }
  }
  return false;
}

}  // namespace pkvmemu::kmod
