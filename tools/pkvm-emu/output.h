// SPDX-License-Identifier: GPL-2.0-only
// Where results go: console text as the guest writes it, then the verdict. Colour only on a
// terminal. A reader that goes away (`| head`) is no error: the rest is dropped.
#pragma once

#include <cstdio>
#include <span>
#include <string_view>

#include "observe/verdict.h"

namespace pkvmemu::tool {

class Output {
 public:
  /// Does not own the stream.
  explicit Output(std::FILE* stream);

  void console(std::string_view text);
  void verdict(std::span<const observe::VerdictLine> lines);
  void text(std::string_view text);
  /// Between lines of the console: one that is open is ended.
  void line(std::string_view text);

 private:
  void write(std::string_view text);

  std::FILE* stream_;
  bool colour_ = false;
  bool closed_ = false;
  bool line_open_ = false;  ///< the last console line has no newline yet
};

}  // namespace pkvmemu::tool
