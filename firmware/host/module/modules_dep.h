// SPDX-License-Identifier: GPL-2.0-only
// modules.dep in the initramfs: which file a module's name means, and what it needs first. Looked
// for in lib/modules/<release>/ and in Android's flat lib/modules/. A line is "path: dep dep ...",
// paths relative to that directory or absolute, the dependency to load first at the end.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "host/module/load_error.h"
#include "image/cpio.h"

namespace pkvmemu::kmod {

/// "hello" for "kernel/drivers/hello.ko".
std::string_view module_name_of_path(std::string_view path);

class ModulesDep {
 public:
  /// Nothing to find in it when the initramfs has no modules.dep; an error when it is damaged.
  static Loaded<ModulesDep> open(image::ByteView initramfs, std::string_view release);
  /// The same in these folders of lib/modules, the first that has a modules.dep.
  static Loaded<ModulesDep> open(image::ByteView initramfs,
                                 std::span<const std::string_view> subdirectories);

  struct Line {
    std::string_view path;
    std::string_view dependencies;  ///< separated by blanks
  };
  /// The line of the module of this name, '-' and '_' being equal.
  [[nodiscard]] std::optional<Line> find(std::string_view name) const;

  /// The dependency whose own line lists this line's module, or the module itself when it is its
  /// own. depmod writes all that a module needs, not only what it needs directly, so that every
  /// cycle shows in two lines.
  [[nodiscard]] std::optional<std::string_view> leads_back(const Line& line) const;

  /// The file of a path of this modules.dep.
  [[nodiscard]] Loaded<image::CpioEntry> file(std::string_view path) const;

 private:
  image::ByteView initramfs_;
  std::string_view directory_;  ///< of modules.dep, with the slash at its end
  std::string_view text_;
};

/// Takes the last word off a list of words; empty when there is none left.
std::string_view take_last_word(std::string_view& words);

/// The file at a path, as a load's first two steps fail.
Loaded<image::CpioEntry> find_module_file(image::ByteView initramfs, std::string_view path);

}  // namespace pkvmemu::kmod
