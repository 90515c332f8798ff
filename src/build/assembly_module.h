// SPDX-License-Identifier: GPL-2.0-only
// A module whose EL2 half is a few lines of AArch64 assembly: the texts that it is assembled from.
// What the author writes stands between what every module has:
//   init                   begins the EL2 init (x0: the operations); without one it answers 0
//   handler NAME           begins a handler (x0: the registers, xN at [x0, #8*N])
//   ops.NAME               is the offset of an operation's pointer, for LDR
// The EL1 half loads the EL2 half and registers the handlers in the order of the text, so the first
// one of the first module is hypercall 128.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "build/kmi.h"
#include "pkvm/generation.h"
#include "support/result.h"

namespace pkvmemu::build {

struct AssemblySource {
  std::string_view module_name;
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  std::optional<Cfi> cfi;  ///< the generation's own way when empty
  std::span<const std::string> depends;
  std::string_view file;  ///< for messages
  std::string_view text;
  int first_line = 1;  ///< of the text in the file
};

struct AssembledModule {
  std::string el1;  ///< with the module's descriptor
  std::string el2;
  int el2_first_line = 1;  ///< so that the author's lines count as in the author's file
};

Result<AssembledModule> assembly_module(const AssemblySource& source);

}  // namespace pkvmemu::build
