// SPDX-License-Identifier: GPL-2.0-only
// A module's parameters: the records of its section __param (struct kernel_param, the same on every
// generation) are set from the arguments it is loaded with, through each record's own operations,
// before its init runs.
#pragma once

#include <cstdint>
#include <string_view>

#include "host/module/module.h"

namespace pkvmemu::kmod {

/// struct kernel_param as it lies in memory.
struct ParamRecord {
  std::uint64_t name;  ///< NUL-terminated text
  std::uint64_t module;
  std::uint64_t ops;
  std::uint16_t permissions;
  std::int8_t level;
  std::uint8_t flags;
  std::uint32_t padding;
  std::uint64_t argument;
};
static_assert(sizeof(ParamRecord) == 40);

/// Longest value that the kernel's string parameters take.
inline constexpr std::size_t parameter_value_limit = 1024;

/// Sets what `arguments` names. An unknown parameter is a message and otherwise nothing, as in a
/// kernel; a value that its parameter refuses ends the load with the parameter's error.
Loaded<void> set_parameters(KernelServices& services, const Module& module,
                            std::string_view arguments);

}  // namespace pkvmemu::kmod
