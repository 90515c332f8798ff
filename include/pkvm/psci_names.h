// SPDX-License-Identifier: GPL-2.0-only
// PSCI functions by the names that the wish `psci` takes (docs/rc.md), for the tool and the kernel.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "pkvm/smccc.h"

namespace pkvm::psci {

struct Function {
  std::string_view name;
  std::uint32_t id;
  /// The register of the entry point address, 0 when it has none; the context id is in the next
  /// one.
  unsigned entry = 0;
};

inline constexpr std::array functions = {
    Function{.name = "version", .id = version},
    Function{.name = "suspend", .id = cpu_suspend64, .entry = 2},
    Function{.name = "off", .id = cpu_off},
    Function{.name = "on", .id = cpu_on64},
    Function{.name = "affinity-info", .id = affinity_info64},
    Function{.name = "migrate-info-type", .id = migrate_info_type},
    Function{.name = "system-off", .id = system_off},
    Function{.name = "system-reset", .id = system_reset},
    Function{.name = "system-reset2", .id = system_reset2},
    Function{.name = "features", .id = features},
    Function{.name = "system-suspend", .id = system_suspend64, .entry = 1},
};

constexpr const Function* find_function(std::string_view name) {
  for (const Function& function : functions)
    if (function.name == name) return &function;
  return nullptr;
}

/// Functions that do not come back when they do what they are for.
constexpr bool ends_the_run(std::uint64_t id) {
  return id == cpu_off || id == system_off || id == system_reset || id == system_reset2;
}

}  // namespace pkvm::psci
