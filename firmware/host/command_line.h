// SPDX-License-Identifier: GPL-2.0-only
// The kernel command line, as far as this kernel has parameters (pkvm/platform.h, pkvm-abi.md 6.2).
// Unknown parameters are ignored, as kernels do; odd ones leave a warning.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "pkvm/generation.h"
#include "pkvm/quirk.h"

namespace pkvmemu::host {

/// What becomes of a module's imports that this kernel does not export.
enum class Unresolved : std::uint8_t { refuse, stub };

enum class Iommu : std::uint8_t { null_driver, none };

enum class Warning : std::uint8_t {
  modules_repeated,    ///< a later protected_modules= replaces the former
  modules_no_value,    ///< protected_modules without "=": refused, the list stays
  unknown_generation,  ///< not a KMI name we have
  unknown_va_bits,     ///< neither 39 nor 48
  unknown_iommu,       ///< neither "null" nor "none"
  unknown_unresolved,  ///< neither "refuse" nor "stub"
  unknown_mode,        ///< kvm-arm.mode= that this kernel does not offer
  unknown_as_shipped,  ///< neither "0" nor "1"
  unknown_flag,        ///< the same, of another parameter of ours
};

struct CommandLine {
  bool protected_mode = false;
  std::string_view protected_modules;  ///< comma-separated, as written
  pkvm::Generation generation = pkvm::Generation::android15_6_6;
  unsigned va_bits = 39;
  Iommu iommu = Iommu::null_driver;
  pkvm::Defects defects = pkvm::Defects::avoided;
  Unresolved unresolved = Unresolved::refuse;
  bool log_ops = false;
  bool trace_events = false;
  bool probe_pvm = false;
  bool el2_only = false;  ///< of some modules only the EL2 half is wanted (pkvm/el2_only.h)
  bool pauth = false;

  struct Note {
    Warning warning;
    std::string_view value;
  };
  std::array<Note, 8> note{};
  std::size_t note_count = 0;

  std::span<const Note> notes() const { return {note.data(), note_count}; }
};

/// Views into `text`, which must stay. Words are separated by blanks; double quotes protect them.
CommandLine parse_command_line(std::string_view text);

/// The sentence for a warning, which continues a console line; %.*s takes the note's value.
const char* words_of(Warning warning);

}  // namespace pkvmemu::host
