// SPDX-License-Identifier: GPL-2.0-only
// From C sources to a module in the form a kernel build gives it (pkvm-abi.md 2.1, 2.2): EL2
// sources linked into .hyp.* sections and prefixed, their .hyp.reloc table, EL1 sources beside
// them, a descriptor, and the module's linker script over all of it. Uses clang-19, ld.lld-19 and
// llvm-objcopy-19. The same input gives the same bytes.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "build/kmi.h"
#include "build/other_module.h"
#include "pkvm/generation.h"
#include "support/file.h"
#include "support/result.h"

namespace pkvmemu::build {

enum class Warnings : std::uint8_t { reported, fatal };

/// Compiler flags of one half, as its Makefile's ccflags-y has them.
struct HalfFlags {
  std::vector<std::filesystem::path> include_directories;
  std::vector<std::string> defines;  ///< NAME or NAME=VALUE
  std::vector<std::string> options;  ///< warnings to switch on or off
};

/// An EL2 half as AArch64 assembly in place of C (src/build/assembly_module.h says what it may
/// use). The EL1 half that loads it and registers its handlers is made for it, and no compiler is
/// needed.
struct AssemblyHalf {
  /// Text to a relocatable object; `name` and `first_line` are for messages.
  using Assembler =
      std::function<Result<Bytes>(std::string_view name, std::string_view text, int first_line)>;
  std::string name;  ///< of the file that it stands in
  std::string text;
  int first_line = 1;
  Assembler assemble;
};

struct ModuleSpec {
  /// The module's name: letters, digits and underscores, as the kernel uses it.
  std::string name;
  std::vector<std::filesystem::path> el1_sources;
  /// Objects for EL1 that are compiled already.
  std::vector<std::filesystem::path> el1_objects{};
  /// Whether other modules may use all that EL1 defines, without a word in the sources.
  bool exports_all = false;
  /// None for a module without an EL2 half.
  std::vector<std::filesystem::path> el2_sources;
  /// In place of all sources.
  std::optional<AssemblyHalf> assembly;
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  /// The generation's own way when empty.
  std::optional<Cfi> cfi;
  /// For both halves.
  std::vector<std::filesystem::path> include_directories;
  std::vector<std::string> defines;  ///< NAME or NAME=VALUE
  HalfFlags el1_flags;
  HalfFlags el2_flags;
  /// Modules that have to be loaded before, whatever they are for.
  std::vector<std::string> depends;
  /// Modules that have to be loaded before if they export what this one imports.
  std::vector<OtherModule> others;
  Warnings warnings = Warnings::reported;
  /// Where the SDK's headers are.
  std::filesystem::path sdk;
};

struct BuiltModule {
  Bytes image;
  std::string messages;  ///< the compiler's warnings
  std::string notes;     ///< what the module will need when it is loaded
};

Result<BuiltModule> build_module(const ModuleSpec& spec);

/// Whether the kernel takes it as a module's name.
Result<void> check_module_name(const std::string& name);

}  // namespace pkvmemu::build
