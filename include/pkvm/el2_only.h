// SPDX-License-Identifier: GPL-2.0-only
// Loading a module's EL2 half alone, since its EL1 half needs hardware that is not there. The
// kernel is told by lines of /pkvm-emu.rc (docs/rc.md), which it reads for this only with the
// parameter:
//   el2only MODULE init SYMBOL           the EL2 init function
//   el2only MODULE hvc SYMBOL[=NAME]     a handler to register, in the order of the lines
//   el2only MODULE set SYMBOL=VALUE      a variable's value before the load: a number, or hex:BYTES
#pragma once

#include <array>
#include <string_view>

namespace pkvm::el2_only {

/// Kernel parameter: present, or "1".
inline constexpr std::string_view parameter = "pkvmemu.el2_only";

inline constexpr std::string_view verb = "el2only";
inline constexpr std::string_view init_word = "init";
inline constexpr std::string_view hvc_word = "hvc";
inline constexpr std::string_view set_word = "set";
inline constexpr std::array words = {init_word, hvc_word, set_word};

/// In front of a value that is bytes in hexadecimal.
inline constexpr std::string_view bytes_prefix = "hex:";

}  // namespace pkvm::el2_only
