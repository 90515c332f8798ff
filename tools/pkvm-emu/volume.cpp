// SPDX-License-Identifier: GPL-2.0-only
#include "volume.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace pkvmemu::tool {

void add_volume_flags(CLI::App& command, Volume& volume) {
  command.add_flag("-q,--quiet", volume.quiet, "Tell only what went wrong")
      ->disable_flag_override();
  command.add_flag("-v,--verbose", volume.verbose, "Tell more on stderr; twice for still more")
      ->disable_flag_override();
}

log::Level log_level(const Volume& volume) {
  if (volume.quiet) return log::Level::error;
  if (volume.verbose == 0) return log::Level::warning;
  return volume.verbose == 1 ? log::Level::info : log::Level::debug;
}

}  // namespace pkvmemu::tool
