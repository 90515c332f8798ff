// SPDX-License-Identifier: GPL-2.0-only
// Any text as the kernel command line: parsing ends, what it finds lies in the text, and each
// warning has words.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "host/command_line.h"

namespace {

bool lies_in(std::string_view part, std::string_view text) {
  return part.empty() ||
         (std::less_equal<>{}(text.data(), part.data()) &&
          std::less_equal<>{}(part.data() + part.size(), text.data() + text.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pkvmemu::host;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const CommandLine line = parse_command_line(text);
  if (!lies_in(line.protected_modules, text)) std::abort();
  if (line.va_bits != 39 && line.va_bits != 48) std::abort();
  for (const CommandLine::Note& note : line.notes())
    if (!lies_in(note.value, text) || std::string_view(words_of(note.warning)).empty())
      std::abort();
  return 0;
}
