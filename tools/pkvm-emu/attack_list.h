// SPDX-License-Identifier: GPL-2.0-only
// The attacks that the kernel knows (firmware/host/vm/attack_rows.cpp), for --attack.
#pragma once

#include <string>
#include <string_view>

namespace pkvmemu::tool {

/// A line for each: its name, what it does, where it does not exist or ends the run.
std::string attack_list();

/// Some attack has a name like this.
bool names_an_attack(std::string_view pattern);

}  // namespace pkvmemu::tool
