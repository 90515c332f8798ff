// SPDX-License-Identifier: GPL-2.0-only
// See only_aarch64.cpp. The call does nothing but make the linker take that file before Capstone's.
#pragma once

namespace pkvmemu::code {

void link_only_aarch64();

}  // namespace pkvmemu::code
