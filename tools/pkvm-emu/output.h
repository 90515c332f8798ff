// SPDX-License-Identifier: GPL-2.0-only
// Where results go: console text as the guest writes it, then the verdict. Colour only on a
// terminal. A reader that goes away (`| head`) is no error: the rest is dropped.
#pragma once

#include <cstdio>
#include <span>
#include <string_view>

#include "observe/verdict.h"
#include "volume.h"

namespace pkvmemu::tool {

/// Whether the stream is a terminal whose user has not switched colours off (NO_COLOR).
bool wants_colour(std::FILE* stream);

class Output {
 public:
  /// Does not own the stream.
  explicit Output(std::FILE* stream, const Volume& volume = {});

  /// What the guest prints; a quiet command leaves it out.
  void console(std::string_view text);
  /// The lines; of a quiet command those that tell what went wrong.
  void verdict(std::span<const observe::VerdictLine> lines);
  void text(std::string_view text);
  /// Between lines of the console: one that is open is ended.
  void line(std::string_view text);

 private:
  void write(std::string_view text);

  std::FILE* stream_;
  bool quiet_ = false;
  bool colour_ = false;
  bool closed_ = false;
  bool line_open_ = false;  ///< the last console line has no newline yet
};

}  // namespace pkvmemu::tool
