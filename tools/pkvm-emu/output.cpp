// SPDX-License-Identifier: GPL-2.0-only
#include "output.h"

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace pkvmemu::tool {
namespace {

using observe::Tone;

std::string_view colour_of(Tone tone) {
  switch (tone) {
    case Tone::neutral:
      return "";
    case Tone::good:
      return "\x1b[32m";
    case Tone::bad:
      return "\x1b[31m";
  }
  std::unreachable();
}
constexpr std::string_view colour_off = "\x1b[0m";

}  // namespace

// As no-color.org has it: set to nothing it means nothing.
bool wants_colour(std::FILE* stream) {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(fileno(stream)) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

Output::Output(std::FILE* stream, const Volume& volume)
    : stream_(stream), quiet_(volume.quiet), colour_(wants_colour(stream)) {}

void Output::console(std::string_view text) {
  if (quiet_ || text.empty()) return;
  write(text);
  // EL2 ends its lines with LF and CR.
  if (text.back() != '\r') line_open_ = text.back() != '\n';
}

void Output::verdict(std::span<const observe::VerdictLine> lines) {
  std::string text = line_open_ ? "\n" : "";
  line_open_ = false;
  for (const observe::VerdictLine& line : lines) {
    if (quiet_ && line.tone != Tone::bad) continue;
    const std::string_view colour = colour_ ? colour_of(line.tone) : "";
    text += colour;
    text += line.text;
    if (!colour.empty()) text += colour_off;
    text += '\n';
  }
  write(text);
}

void Output::text(std::string_view text) {
  write(text);
}

void Output::line(std::string_view text) {
  write(line_open_ ? "\n" : "");
  line_open_ = false;
  write(std::string(text) + "\n");
}

void Output::write(std::string_view text) {
  if (closed_) return;
  const bool good = std::fwrite(text.data(), 1, text.size(), stream_) == text.size() &&
                    (text.find('\n') == std::string_view::npos || std::fflush(stream_) == 0);
  closed_ = !good;
}

}  // namespace pkvmemu::tool
