// SPDX-License-Identifier: GPL-2.0-only
// How much a command tells: -q and -v, which every sub-command takes.
#pragma once

#include <CLI/App.hpp>
#include <cstddef>

#include "support/log.h"

namespace pkvmemu::tool {

struct Volume {
  bool quiet = false;       ///< only what went wrong
  std::size_t verbose = 0;  ///< how many times -v was given
};

/// Declares -q and -v; `volume` is set when they are parsed and has to live until then.
void add_volume_flags(CLI::App& command, Volume& volume);

/// What of the log is told.
log::Level log_level(const Volume& volume);

}  // namespace pkvmemu::tool
