// SPDX-License-Identifier: GPL-2.0-only
// What modprobe is told about modules beside modules.dep: parameters and soft dependencies, from
//   modules.options, modules.softdep     beside modules.dep, in either directory (Android)
//   lib/modprobe.d/*.conf, etc/modprobe.d/*.conf    in the initramfs, by name (kmod)
//   NAME.parameter=value                 on the kernel command line, which comes last and so wins
// Lines are "options NAME argument...", "softdep NAME pre: a b post: c"; others say nothing here.
// "blacklist" and "blocklist" lines do not stop a load by name, as `modprobe -q` without -b, which
// the kernel runs (pkvm-abi.md 6.2), ignores them; module_blacklist= on the kernel command line
// does (is_blacklisted below).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "image/stream.h"
#include "image/text.h"

namespace pkvmemu::kmod {

class ModprobeConfig {
 public:
  ModprobeConfig(image::ByteView initramfs, std::string_view release,
                 std::string_view kernel_command_line)
      : initramfs_(initramfs),
        release_(release),
        command_line_(kernel_command_line),
        has_files_(find_any_file()) {}

  /// The arguments that a module is loaded with, separated by blanks.
  void put_options(std::string_view module, image::TextWriter& out) const;

  /// Calls visit(name) for each soft dependency of `module`, in order.
  enum class When : std::uint8_t { before, after };
  template <typename Visit>
  void for_each_soft_dependency(std::string_view module, When when, Visit visit) const {
    for_each_line([&](std::string_view line) {
      SoftDependencies rest{.line = line, .module = module, .when = when};
      while (const auto name = rest.next())
        visit(*name);
    });
  }

  /// module_blacklist=a,b on the kernel command line: the kernel refuses these with -EPERM.
  [[nodiscard]] bool is_blacklisted(std::string_view module) const;

 private:
  /// Walks the names of one softdep line; a line about something else has none.
  struct SoftDependencies {
    std::string_view line;
    std::string_view module;
    When when = When::before;
    bool started = false;
    bool wanted = false;
    std::optional<std::string_view> next();
  };

  struct LineVisitor {
    void* context;
    void (*visit)(void* context, std::string_view line);
  };
  [[nodiscard]] bool find_any_file() const;
  void walk_lines(LineVisitor visitor) const;
  template <typename Visit>
  void for_each_line(Visit visit) const {
    walk_lines({.context = &visit, .visit = [](void* context, std::string_view line) {
                  (*static_cast<Visit*>(context))(line);
                }});
  }
  void walk_file(std::string_view path, LineVisitor visitor) const;
  [[nodiscard]] std::string_view next_configuration(std::string_view directory,
                                                    std::string_view after) const;

  image::ByteView initramfs_;
  std::string_view release_;
  std::string_view command_line_;
  bool has_files_;  ///< most archives have none, and need no more walks
};

}  // namespace pkvmemu::kmod
