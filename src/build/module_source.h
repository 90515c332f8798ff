// SPDX-License-Identifier: GPL-2.0-only
// C text that the builder writes itself: the generation's numbers for the SDK headers, and the
// module's descriptor, which a kernel build makes as <name>.mod.c.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "pkvm/generation.h"

namespace pkvmemu::build {

/// <generated/kmi.h>: layouts of struct module and its EL2 part, number of operations.
std::string kmi_header(pkvm::Generation generation);

/// "6.6.77-android15-8 SMP preempt mod_unload modversions aarch64"
std::string vermagic(pkvm::Generation generation);

struct Descriptor {
  std::string_view name;
  pkvm::Generation generation;
  std::span<const std::string> depends;  ///< modules to load before
  bool has_init = false;
  bool has_exit = false;
};

/// __this_module and the .modinfo strings that do not come from the author.
std::string descriptor_source(const Descriptor& descriptor);

}  // namespace pkvmemu::build
