// SPDX-License-Identifier: GPL-2.0-only
// A module's EL2 half alone (include/pkvm/el2_only.h): what its EL1 half would have done (name the
// init, set variables, register handlers) is done from lines of /pkvm-emu.rc.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/module/module.h"
#include "pkvm/generation.h"

namespace pkvmemu::kmod {

/// The lines of a script that are about one module. A view: the script stays.
class El2OnlyLines {
 public:
  El2OnlyLines(std::string_view script, std::string_view module) : rest_(script), module_(module) {}

  struct Line {
    std::string_view word;     ///< init, hvc, set
    std::string_view operand;  ///< what follows it
  };
  /// The next one; its word is empty when there is none.
  [[nodiscard]] Line next();

 private:
  std::string_view rest_;
  std::string_view module_;
};

/// Whether the script wants only the EL2 half of the module.
bool is_el2_only(std::string_view script, std::string_view module);

/// After discovery, before the module's memory is protected: finds everything that the script
/// names, stores the EL2 init where a module's own macro would, and sets the variables.
Loaded<void> prepare_el2_only(std::string_view script, pkvm::Generation generation, Module& module);

/// A handler to register, of a line "hvc SYMBOL[=NAME]".
struct El2Handler {
  KernVa address;
  std::string_view name;  ///< by which it is called
};
Loaded<El2Handler> el2_handler(const Module& module, std::string_view operand);

}  // namespace pkvmemu::kmod
