// SPDX-License-Identifier: GPL-2.0-only
// Any text as /pkvm-emu.rc, through both parsers: what the command line accepts and writes into an
// initramfs, the guest's kernel reads as the same wishes (docs/rc.md).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "host/rc.h"
#include "lib/string.h"
#include "rc.h"

namespace {

using namespace pkvmemu;

/// The guest's reading of a line that the tool wrote.
bool agree(const tool::RcLine& line) {
  const std::string text = tool::to_text(line);
  std::string_view without_newline = text;
  without_newline.remove_suffix(1);
  const auto wish = host::parse_rc_line(without_newline);
  if (!wish || !*wish) return false;
  const host::Wish& read = **wish;
  return read.target == line.target && read.repeat == line.repeat &&
         std::ranges::equal(read.given(), line.args) &&
         static_cast<unsigned>(read.kind) == static_cast<unsigned>(line.verb) &&
         (read.phase == host::WishPhase::early) == (line.phase == tool::RcPhase::early);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::string_view rest = text; !rest.empty();) {
    const auto wish = host::parse_rc_line(fw::take_until(rest, '\n'));
    if (!wish && host::words_of(wish.error()).empty()) std::abort();
  }
  const auto lines = tool::parse_rc(text, "rc");
  if (!lines) {
    if (lines.error().message.empty()) std::abort();
    return 0;
  }
  if (!std::ranges::all_of(*lines, agree)) std::abort();
  return 0;
}
