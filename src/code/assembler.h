// SPDX-License-Identifier: GPL-2.0-only
// AArch64 assembly to an ELF object, by LLVM's machine code layer inside this process: no compiler
// has to be installed. LLVM is touched at the first use only.
#pragma once

#include <string_view>

#include "support/file.h"
#include "support/result.h"

namespace pkvmemu::code {

/// A relocatable object for AArch64 Linux. `name` is what messages call the text; they are those of
/// the assembler, each "NAME:LINE: what is wrong", one a line. `.line N, "NAME"` is not known: text
/// that stands in another file comes with `first_line`, its line there.
struct AssemblyText {
  std::string_view name;
  std::string_view text;
  int first_line = 1;
};
Result<Bytes> assemble(const AssemblyText& source);

}  // namespace pkvmemu::code
