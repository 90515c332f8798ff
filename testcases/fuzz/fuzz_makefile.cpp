// SPDX-License-Identifier: GPL-2.0-only
// Any text as a module's Makefile: every variable has a value or an error with words, soon.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "build/makefile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pkvmemu;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto makefile =
      build::Makefile::parse("Makefile", text, {{"KERNELRELEASE", "6.6.77"}, {"src", "m"}});
  if (!makefile) {
    if (makefile.error().message.empty()) std::abort();
    return 0;
  }
  for (const build::Word& variable : makefile->assigned()) {
    const auto words = makefile->words(variable.text);
    if (!words && words.error().message.empty()) std::abort();
  }
  return 0;
}
